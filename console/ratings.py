"""What the meter models on site can carry, from their register maps."""

from pathlib import Path

from engine.bus.registers import load_maps


def ratings(site: Path) -> dict[str, int]:
    """Watts of all phases together, by model. Raises MapError."""
    return {
        model: made.power_w_max * made.phases for model, made in load_maps(site / "maps").items()
    }
