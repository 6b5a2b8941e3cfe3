"""The addresses of credentials below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from credentials.api.credentials import ApiKeyViewSet, CredentialViewSet
from credentials.api.gateway_keys import GatewayKeyViewSet

router = ApiRouter()
router.register("credentials", CredentialViewSet, basename="credential")
router.register(r"customers/(?P<customer_id>[^/]+)/api-keys", ApiKeyViewSet, basename="customer-api-key")
router.register("gateway-keys", GatewayKeyViewSet, basename="gateway-key")

urlpatterns = router.urls
