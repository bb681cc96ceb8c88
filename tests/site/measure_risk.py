"""How long it takes from a worrying answer in a browser to `SafeguardingConcernRaised` on the bus.

    python -m tests.site.measure_risk [forms]

Each form is filled in on a page of its own in Chromium, on a whole system with its site; the clock runs from the click
on "Send my answers" until the event is read from the broker. Prints the quantiles in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from string import ascii_lowercase

import pika
from playwright.sync_api import sync_playwright

from leeward.runtime import local_broker
from leeward.runtime.workspace import Workspace
from tests.site.running import neutral_site, running_site
from tests.site.test_browser_links import clients_letter, link_in, offered
from tests.support.bus import Tap
from tests.support.chromium import ARGUMENTS, ensure_installed
from tests.support.story import Story
from tests.support.system import whole_system

FORMS = 120


def main(forms: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        took = measure(forms, Path(folder))
    cuts = [round(one) for one in statistics.quantiles(took, n=100)]
    figures = f"p50 {cuts[49]} ms, p95 {cuts[94]} ms, p99 {cuts[98]} ms, most {max(took):.0f} ms"
    sys.stdout.write(f"{forms} forms: {figures}\n")


def measure(forms: int, folder: Path) -> list[float]:
    """Milliseconds of each form."""
    node = local_broker.start(folder / "broker")
    workspace = Workspace(folder / "var")
    workspace.prepare()
    uri = node.amqp_uri.replace("/%2F", "/risk")
    (folder / "site").mkdir()
    try:
        with (
            neutral_site() as elsewhere,
            running_site(
                folder / "site", amqp_uri=uri, enquiry_uri=uri, keys=workspace.keys, exit_url=elsewhere
            ) as site,
            whole_system(
                node,
                workspace.folder,
                name="risk",
                server=None,
                settings={
                    "EVALUATION_CLIENT_INSTRUMENT": "how-it-goes",
                    "NOTIFICATIONS_FORM_URL": f"{site.address}/form/",
                },
            ) as system,
            Tap(system.amqp_uri, ["intake", "matching", "evaluation", "notifications"]) as tap,
            sync_playwright() as playwright,
        ):
            Story.languages = (first + second for first in ascii_lowercase for second in ascii_lowercase)
            raised = listen(system.amqp_uri)
            page = playwright.chromium.launch(executable_path=ensure_installed(), args=ARGUMENTS).new_page()
            took = []
            for _ in range(forms):
                story = Story(system, tap)
                offered(story)
                story.accept()
                page.goto(site.address + link_in(clients_letter(story, str(story.receipt.reference)), site))
                page.get_by_text("All questions on one page").click()
                page.check("#q6-3")
                began = time.perf_counter()
                page.get_by_role("button", name="Send my answers").click(no_wait_after=True)
                took.append((raised.get(timeout=30) - began) * 1000)
                page.get_by_text("Thank you. We have your answers").wait_for()
            return took
    finally:
        node.stop()


def listen(amqp_uri: str) -> SimpleQueue[float]:
    """When each concern is read from the broker."""
    found: SimpleQueue[float] = SimpleQueue()
    ready = threading.Event()

    def run() -> None:
        channel = pika.BlockingConnection(pika.URLParameters(amqp_uri)).channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "intake.events", "SafeguardingConcernRaised")
        channel.basic_consume(queue, lambda *_: found.put(time.perf_counter()), auto_ack=True)
        ready.set()
        channel.start_consuming()

    threading.Thread(target=run, daemon=True).start()
    assert ready.wait(30)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FORMS)
