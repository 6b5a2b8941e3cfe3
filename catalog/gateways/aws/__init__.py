"""AWS API Gateway, REST APIs: one usage plan a rate plan and stage, one API key a key."""

from catalog.gateways.aws.adapter import AwsAdapter

__all__ = ["AwsAdapter"]
