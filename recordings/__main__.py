"""``python -m recordings DIRECTORY``: verify a data directory, for a program that must not wait.

Prints a report as JSON. Ends with 0 where it could be read, altered or not.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from recordings.verify import verify

if __name__ == "__main__":
    report = verify(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({**asdict(report), "intact": report.intact, "summary": report.summary()}))
