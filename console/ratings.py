"""What the meter models on site can carry, from their register maps."""

from pathlib import Path

from engine.bus.registers import load_maps


def ratings(site: Path) -> dict[str, int]:
    """Watts of one phase, by model. Raises MapError."""
    return {model: made.power_w_max for model, made in load_maps(site / "maps").items()}
