"""The look of one node's admin: its title and its color, so that people can distinguish two nodes at a glance."""

from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# Hue in degrees of the OKLCH color space, https://www.w3.org/TR/css-color-4/#ok-lab
COLORS = {"red": 25, "orange": 55, "green": 150, "teal": 195, "blue": 260, "purple": 304}

# (lightness %, chroma) of the eleven shades that the theme needs, light to dark. In each hue 600 on white and on the
# theme's pale grey, and 500 on its dark greys, are legible as text: a contrast of 4.5 at least (WCAG 2.2, 1.4.3).
SHADES = {
    "50": (97.7, 0.014),
    "100": (94.6, 0.033),
    "200": (90.2, 0.063),
    "300": (82.7, 0.119),
    "400": (75.0, 0.150),
    "500": (68.0, 0.170),
    "600": (48.0, 0.180),
    "700": (43.0, 0.160),
    "800": (38.0, 0.135),
    "900": (34.0, 0.110),
    "950": (26.0, 0.085),
}


def favicon(hue: int) -> str:
    """Return two arrows in the node's color as a data URL, which distinguish nodes among a browser's tabs too."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<rect width="24" height="24" rx="5" fill="oklch(48% .18 {hue})"/>'
        '<path d="M5 9h14l-4-4M19 15H5l4 4" fill="none" stroke="#fff" stroke-width="2"/></svg>'
    )
    return f"data:image/svg+xml,{quote(picture)}"


def unfold(*, title: str, color: str) -> dict[str, object]:
    """Return the `UNFOLD` setting, https://unfoldadmin.com/docs/configuration/settings/

    Raises:
        ImproperlyConfigured: `color` is not a name of COLORS.
    """
    if color not in COLORS:
        raise ImproperlyConfigured(f"BACKOFFICE_COLOR is {color!r}; choose one of: {', '.join(COLORS)}.")
    hue = COLORS[color]
    return {
        "SITE_TITLE": title,
        "SITE_HEADER": title,
        "SITE_SYMBOL": "sync_alt",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon(hue)}],
        "SITE_URL": None,
        "DASHBOARD_CALLBACK": "backoffice.dashboard.context",
        "ACCOUNT": {
            "navigation": [
                {"title": _("My settings"), "link": reverse_lazy("admin:accounts_user_settings")},
                {"title": _("My sessions and keys"), "link": reverse_lazy("admin:accounts_user_sessions")},
                {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            ]
        },
        "STYLES": [lambda request: static("syncer/sync.css"), lambda request: static("backoffice/shell.css")],
        "SCRIPTS": [
            lambda request: static("backoffice/shell.js"),
            lambda request: static("backoffice/search.js"),
        ],
        "SHOW_VIEW_ON_SITE": False,
        "COLORS": {"primary": {name: f"oklch({light}% {chroma} {hue})" for name, (light, chroma) in SHADES.items()}},
        "SIDEBAR": {"show_search": False, "show_all_applications": False},
    }
