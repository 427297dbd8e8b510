"""Estimate the electricity of one node with CodeCarbon, offline; kWh first, CO2 by the country's mix second."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from stages.errors import Trouble

COUNTRY = "COMMONS_COUNTRY"  # ISO 3166-1 alpha-3, of the machine: set in the environment, not in params.yaml


def country() -> str:
    """The machine's country; refuses what CodeCarbon would silently replace by the world average."""
    import pycountry

    code = os.environ.get(COUNTRY, "FRA")
    if pycountry.countries.get(alpha_3=code) is None:
        raise Trouble(f"{COUNTRY} is {code!r}; wanted an ISO 3166-1 alpha-3 code such as FRA, ESP, DEU.")
    return code


@contextmanager
def measured(into: dict[str, float]) -> Iterator[None]:
    """Fill `into` with `energy_kwh` and `co2_kg` when the block ends (estimates: this process, CPU model without RAPL)."""
    code = country()
    with ThreadPoolExecutor(1) as beside:  # probing the hardware takes seconds; the node works meanwhile
        starting = beside.submit(_start, code)
        try:
            yield
        finally:
            tracker = starting.result()
            emissions = tracker.stop() if tracker else None
            if emissions is not None:
                into["co2_kg"] = float(emissions)
                into["energy_kwh"] = float(tracker.final_emissions_data.energy_consumed)


def _start(code: str) -> Any:
    """Start the tracker; an estimate that cannot be made is a warning, never a failed node."""
    try:
        from codecarbon import OfflineEmissionsTracker

        logging.getLogger("codecarbon").disabled = True
        tracker = OfflineEmissionsTracker(
            country_iso_code=code,
            tracking_mode="process",
            save_to_file=False,
            save_to_api=False,
            log_level="critical",
            allow_multiple_runs=True,
            measure_power_secs=15,
        )
        tracker.start()
    except Exception as error:  # any probe of the hardware may fail on an odd machine
        logging.getLogger(__name__).warning("energy is not estimated: %s", error)
        return None
    return tracker
