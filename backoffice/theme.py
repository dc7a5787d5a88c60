"""The look of one node's admin: its title and its color, so that people can distinguish two nodes at a glance."""

from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# Hue in degrees of the OKLCH color space, https://www.w3.org/TR/css-color-4/#ok-lab
COLORS = {"red": 25, "orange": 55, "green": 150, "teal": 195, "blue": 260, "purple": 304}

# (lightness %, chroma) of the eleven shades that the theme needs, light to dark.
SHADES = {
    "50": (97.7, 0.014),
    "100": (94.6, 0.033),
    "200": (90.2, 0.063),
    "300": (82.7, 0.119),
    "400": (70.0, 0.160),
    "500": (60.0, 0.190),
    "600": (52.0, 0.190),
    "700": (45.0, 0.165),
    "800": (39.0, 0.135),
    "900": (34.0, 0.110),
    "950": (26.0, 0.085),
}


def favicon(hue: int) -> str:
    """Return two arrows in the node's color as a data URL, which distinguish nodes among a browser's tabs too."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<rect width="24" height="24" rx="5" fill="oklch(52% .19 {hue})"/>'
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
        "STYLES": [lambda request: static("syncer/sync.css")],
        "ACCOUNT": {
            "navigation": [
                {"title": _("My settings"), "link": reverse_lazy("admin:accounts_user_settings")},
                {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            ]
        },
        "SHOW_VIEW_ON_SITE": False,
        "COLORS": {"primary": {name: f"oklch({light}% {chroma} {hue})" for name, (light, chroma) in SHADES.items()}},
        "SIDEBAR": {"show_search": True, "show_all_applications": False},
    }
