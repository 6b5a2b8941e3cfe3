"""The addresses of credentials below ``/v1/``."""

from __future__ import annotations

from config.api.routers import ApiRouter
from credentials.api.credentials import ApiKeyViewSet, CredentialViewSet

router = ApiRouter()
router.register("credentials", CredentialViewSet, basename="credential")
router.register(r"customers/(?P<customer_id>[^/]+)/api-keys", ApiKeyViewSet, basename="customer-api-key")

urlpatterns = router.urls
