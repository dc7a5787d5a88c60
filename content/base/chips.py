"""The states of objects at targets, as HTML."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.kit import ui
from syncer import public


def state_chip(state: public.ObjectState) -> SafeString:
    """Return a state's name as HTML, linked to the page where a person decides if there is one."""
    chip = ui.chip(state.state, public.label(state.state), meaning=public.meaning(state.state))
    return format_html('<a href="{}">{}</a>', state.url, chip) if state.url else chip


def state_chips(states: Sequence[public.ObjectState]) -> SafeString | str:
    """Return the states of one object; with several targets, each with the name of its target."""
    if len(states) <= 1:
        return state_chip(states[0]) if states else ""
    chips = ((state.route.target, state_chip(state)) for state in states)
    return format_html('<span class="sync-states">{}</span>', format_html_join(" ", "<span>{} {}</span>", chips))
