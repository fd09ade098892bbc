"""What other apps add to operational in `AppConfig.ready`: operational imports none of them."""

from collections.abc import Mapping
from typing import Any

from common.late import LateRegistry

# How KPIs are measured: a `KpiSource` by the slug of its KPI.
kpi_sources: LateRegistry[Mapping[str, Any]] = LateRegistry()
