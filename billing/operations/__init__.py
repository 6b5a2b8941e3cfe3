"""Every state change of the app, one function each: lock, refuse, change, publish."""
