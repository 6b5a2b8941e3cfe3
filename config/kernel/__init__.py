"""Ids, money, errors, events, guards, history and admin helpers: knows Django and libraries, none of our apps."""
