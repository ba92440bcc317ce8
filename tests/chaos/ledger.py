# SPDX-License-Identifier: Apache-2.0
"""What was published, what each client was told, and whether the two agree.

A position is (epoch, offset). A publisher learns the position of a message from its acknowledgement;
a message without one may have been published or not, but if it was, then once, and for all.
"""
import time
from collections import Counter, defaultdict


class Broken(AssertionError):
    """The contract is broken; the text says how, and `story` for whom."""

    def __init__(self, text, story=None):
        super().__init__(text)
        self.story = story


def parse_position(text):
    epoch, _, offset = text.rpartition(":")
    return epoch, int(offset)


class Ledger:
    """The publishers' side."""

    def __init__(self):
        self.began = time.monotonic()
        self.attempted = defaultdict(set)  # channel: texts
        self.acknowledged = defaultdict(dict)  # channel: {position: text}
        self.seen = defaultdict(dict)  # channel: {position: text}, by whoever saw it first
        self.where = {}  # text: position
        self.by_publisher = defaultdict(list)  # (channel, publisher): acknowledged numbers
        self.last = {}  # channel: the last position acknowledged
        self.losses = []  # times at which the broker lost what it had
        self.interruptions = []  # times at which it could not be reached
        self.failed_publishes = 0
        self.counts = Counter()
        self.sent = {}  # text: when
        self.calm = False
        self.calm_since = 0.0
        self.latencies = defaultdict(list)

    def now(self):
        return time.monotonic() - self.began

    def attempt(self, channel, text):
        self.sent[text] = time.monotonic()
        self.attempted[channel].add(text)

    def acknowledge(self, channel, text, position, publisher, number):
        known = self.acknowledged[channel].setdefault(position, text)
        if known != text:
            raise Broken(f"{channel} {position} was given to {known!r} and to {text!r}")
        self._note(channel, text, position)
        self.by_publisher[channel, publisher].append(number)
        self.last[channel] = position

    def _note(self, channel, text, position, story=None):
        if self.seen[channel].setdefault(position, text) != text:
            raise Broken(
                f"{channel} {position} is {text!r} here and {self.seen[channel][position]!r} elsewhere",
                story)
        if self.where.setdefault((channel, text), position) != position:
            raise Broken(f"{channel} {text!r} has two positions: {position} and "
                         f"{self.where[channel, text]}", story)

    def received(self, channel, text, position, story):
        if text not in self.attempted[channel]:
            raise Broken(f"{channel} {position} is {text!r}, which nobody published", story)
        self._note(channel, text, position, story)

    def took(self, channel, text):
        """Somebody got it; how long it took is of interest while nothing is disturbed."""
        if self.calm and text in self.sent and self.sent[text] >= self.calm_since:
            self.latencies[channel].append(time.monotonic() - self.sent[text])

    def lost_between(self, begin, end):
        return any(begin <= moment <= end for moment in self.losses)

    def interrupted_between(self, begin, end):
        return any(begin <= moment <= end for moment in self.interruptions)


class Story:
    """One client and one channel: each thing that it was told, checked as it comes."""

    GRACE = 10.0  # seconds for which an interruption of the broker explains what happens

    def __init__(self, ledger, name, channel, history):
        self.ledger = ledger
        self.name = f"{name} on {channel}"
        self.channel = channel
        self.history = history
        self.position = None
        self.since = 0.0  # when it began to stand in this epoch
        self.events = []
        self.messages = 0
        self._segment = defaultdict(list)  # publisher: numbers, since it was last told of a hole

    def note(self, what, detail=""):
        self.events.append((self.ledger.now(), what, detail))

    def subscribed(self, position, asked, recovered):
        """An answer: to go on after `position`; `asked` is where it stood, None without one."""
        self.note("subscribed", f"{position} asked={asked} recovered={recovered}")
        if asked is None:
            self._stand_at(position)
        elif recovered:
            self.ledger.counts["recovered"] += 1
            if position[0] != self.position[0]:
                raise Broken(f"{self.name}: recovered in another epoch", self)
            if position[1] < self.position[1]:
                raise Broken(f"{self.name}: recovered to before where it stood", self)
            if position[1] > self.position[1]:
                self.ledger.counts["recovered with missed ones"] += 1
        else:
            self._told("not recovered", position)

    def lost(self, position, reason=""):
        """Told that something may be missing before `position` (None: unknown yet)."""
        self.note("lost", f"{position} {reason}")
        self._told(f"lost {reason}", position)

    def _told(self, what, position):
        """It counts as an answer; but it must have had a reason."""
        self.ledger.counts[what] += 1
        ledger, now = self.ledger, self.ledger.now()
        if self.position is not None and not ledger.lost_between(self.since - self.GRACE, now):
            excused = ledger.interrupted_between(now - self.GRACE, now)
            missed = 0
            if position is not None and position[0] == self.position[0]:
                missed = position[1] - self.position[1]
            elif position is not None and not excused:
                raise Broken(f"{self.name}: a new epoch, though the broker lost nothing", self)
            if position is not None and missed <= self.history and not excused:
                raise Broken(f"{self.name}: told of a hole, though {missed} messages were missed, "
                             f"{self.history} are kept, and the broker was well", self)
        self._stand_at(position)

    def _stand_at(self, position):
        self._check_segment()
        if position is None or self.position is None or position[0] != self.position[0]:
            self.since = self.ledger.now()
        self.position = position

    def message(self, position, text):
        self.note("message", f"{position} {text}")
        self.messages += 1
        self.ledger.received(self.channel, text, position, self)
        if self.position is not None:
            if position[0] != self.position[0]:
                raise Broken(f"{self.name}: another epoch without a word", self)
            if position[1] <= self.position[1]:
                raise Broken(f"{self.name}: {position} came again after {self.position}", self)
            if position[1] != self.position[1] + 1:
                raise Broken(f"{self.name}: a silent gap between {self.position} and {position}", self)
        else:
            self.since = self.ledger.now()
        self.position = position
        publisher, number = text.split(" ", 2)[:2]
        self._segment[publisher].append(int(number))

    def ahead(self, position):
        """The server says that it stands elsewhere than where the messages ended."""
        raise Broken(f"{self.name}: stands at {self.position} and was told {position}", self)

    def _check_segment(self):
        """Independent of positions: of each publisher's acknowledged messages none may be missing
        between two that came."""
        for publisher, numbers in self._segment.items():
            known = self.ledger.by_publisher[self.channel, publisher]
            acknowledged = set(known)
            # What was not acknowledged may have been published late, after others.
            got = [n for n in numbers if n in acknowledged]
            wanted = [n for n in known if got and got[0] <= n <= got[-1]]
            if got != wanted:
                raise Broken(f"{self.name}: of {publisher} came {got}, and acknowledged were {wanted}",
                             self)
        self._segment.clear()

    def finish(self):
        """At the end, when nothing is under way any more."""
        self._check_segment()
        last = self.ledger.last.get(self.channel)
        if self.position != last:
            raise Broken(f"{self.name}: stands at {self.position}, the channel at {last}", self)

    def history_text(self, count=60):
        rows = [f"  {moment:8.3f} {what:<12} {detail}" for moment, what, detail in self.events[-count:]]
        left = len(self.events) - len(rows)
        return "\n".join(([f"  ... {left} before"] if left else []) + rows)
