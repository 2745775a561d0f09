"""Rosters: a table of clients becomes a folder of their sessions, with a manifest."""

from __future__ import annotations

from voiceflow.roster.addresses import is_address
from voiceflow.roster.clients import Usual
from voiceflow.roster.cluster import Cluster
from voiceflow.roster.making import Forecast, Outcome, RosterOptions, forecast, make_roster
from voiceflow.roster.naming import USUAL

__all__ = [
    "USUAL",
    "Cluster",
    "Forecast",
    "Outcome",
    "RosterOptions",
    "Usual",
    "forecast",
    "is_address",
    "make_roster",
]
