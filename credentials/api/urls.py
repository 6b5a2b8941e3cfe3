"""Addresses of credentials below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from credentials.api.api_keys import CustomerKeyViewSet
from credentials.api.credentials import CredentialViewSet

router = ApiRouter()
router.register("credentials", CredentialViewSet)
router.register(r"customers/(?P<customer_pk>[^/]+)/api-keys", CustomerKeyViewSet, basename="customer-key")

urlpatterns = router.urls
