from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    """Replaces Django's admin site by ours, https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#overriding-default-admin-site"""

    default_site = "backoffice.site.Site"
