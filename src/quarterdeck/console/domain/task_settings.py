"""The settings of tasks as a form has them: texts by their names on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks import settings


class Settings:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def task_settings(self, who: Principal) -> Mapping[str, str]:
        found: dict[str, Any] = await self.instance.db.read(settings.shown)
        return {name: _text(value) for name, value in found.items() if not isinstance(value, list | dict)}

    async def change_task_settings(self, who: Principal, values: Mapping[str, str]) -> None:
        """What is left out stays. Raises `Invalid` at the field."""
        await self.instance.db.write(settings.change, _read(values))


def _text(value: Any) -> str:
    return "" if value is None or value is False else "yes" if value is True else str(value)


def _read(values: Mapping[str, str]) -> dict[str, Any]:
    """By the same shape that the API takes; each alone, so that a wrong one is told at its field."""
    from quarterdeck.surfaces.tasks.wire.settings import SettingsChange

    said: dict[str, Any] = {}
    for name, text in values.items():
        default = settings.DEFAULTS[name]
        value: Any = text == "yes" if isinstance(default, bool) else text or None if default is None else text
        if isinstance(default, int) and not isinstance(default, bool):
            value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
        try:
            said |= msgspec.to_builtins(msgspec.convert({name: value}, SettingsChange))
        except msgspec.ValidationError as error:
            told = "It is a whole number." if "Expected `int`, got `str`" in str(error) else _told(error)
            raise Invalid(told, code="setting_invalid", hint="Change it, then save again.", field=name) from None
    return said


def _told(error: msgspec.ValidationError) -> str:
    words = str(error).partition(" - at `$")[0]
    return f"{words.replace('Expected `int`', 'A number').replace('`', '')}."
