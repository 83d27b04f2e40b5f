from pathlib import Path
from typing import Any
def write_document(measured: dict[str, Any], file: Path) -> None:
    pass
