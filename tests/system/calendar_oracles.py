#!/usr/bin/python3
"""Compares `lull calendar` with other people's programs, on generated expressions.

    calendar_oracles.py LULL [--count N] [--seed S]

OnCalendar expressions with `systemd-analyze calendar`, in zones with odd rules, and cron schedules
with croniter. Prints how many agreed and how many differed for a reason that is listed here; fails
when one differed without. What only lull finds must be a slot by a third reading of the expression,
the plainest there is: does a time match it.
"""

import argparse
import collections
import datetime as dt
import functools
import json
import os
import random
import re
import subprocess
import sys
import zoneinfo

import croniter

UTC = dt.timezone.utc
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "America/Sao_Paulo", "Pacific/Apia", "Antarctica/Troll"]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
FIRST_START = dt.datetime(1995, 1, 1, tzinfo=UTC)
YEARS = 42
SLOTS = 4
BATCH = 50
# Further than any change of clocks moves a time of day (Apia left out a whole day).
NEAR_A_CHANGE = dt.timedelta(hours=26)

REASONS = {
    "clocks": "around a change of the clocks lull keeps its own rules: a time that is left out "
              "comes once, at the first instant after it; one that is shown twice comes twice only "
              "where the hour is a wildcard",
    "gave up": "the other one looks so many steps or years ahead, finds nothing and leaves it there; "
               "the time matches the expression",
    "passed over": "systemd lets a repetition run on past the end of its component (hour 2/16 from 18 "
                   "to 34, which is 10 of the next day) and keeps the fraction when it goes to the next "
                   "minute, croniter does so with a day that a month has not: they miss slots in "
                   "between, which match the expression",
    "every weekday": "croniter takes a weekday field that names all seven for a star; in cron only a "
                     "field that begins with one is, so either the day or the weekday is enough",
}


# --- generating -------------------------------------------------------------------------------

@functools.cache
def changes_of(zone):
    """The days before which the zone's clocks have changed."""
    info = zoneinfo.ZoneInfo(zone)
    days = [FIRST_START + dt.timedelta(days=day) for day in range(YEARS * 365)]
    offsets = [day.astimezone(info).utcoffset() for day in days]
    return [day for day, before, after in zip(days[1:], offsets, offsets[1:]) if before != after]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def number(self, first, last):
        return self.random.randint(first, last)

    def start(self, zone="UTC"):
        """Half of them shortly before the zone's clocks change."""
        changes = changes_of(zone)
        if changes and self.chance(50):
            return self.random.choice(changes) - dt.timedelta(seconds=self.number(0, 48 * 3600))
        return FIRST_START + dt.timedelta(seconds=self.number(0, YEARS * 365 * 86400))

    def element(self, first, last, text=str):
        kind = self.number(0, 4)
        start = self.number(first, last - 1)
        stop = self.number(start + 1, last)
        if kind == 0:
            return f"{text(start)}..{text(stop)}"
        if kind == 1:
            return f"{text(start)}..{text(stop)}/{self.number(1, stop - start)}"
        if kind == 2:
            return f"{text(start)}/{self.number(1, last - start)}"
        return text(start)

    def component(self, first, last, star, text=str):
        if self.chance(star):
            return "*"
        return ",".join(self.element(first, last, text) for _ in range(self.number(1, 3)))

    def from_end(self):
        start = self.number(2, 28)
        kind = self.number(0, 3)
        if kind == 0:
            return f"{start}/{self.number(1, start - 1)}"
        if kind == 1:
            return f"1..{start}"
        return str(start) if kind == 2 else f"1,{start}"

    def seconds(self):
        kind = self.number(0, 9)
        if kind < 6:
            return f"{self.number(0, 59)}"
        if kind == 6:
            return f"{self.number(0, 58)}.{self.number(1, 9999999)}"
        if kind == 7:
            return f"0.5/{self.number(1, 20)}.25"
        return self.component(0, 59, 5)

    def weekdays(self):
        days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        if self.chance(30):
            first = self.number(0, 5)
            return f"{days[first]}..{days[self.number(first + 1, 6)]}"
        return ",".join(self.random.sample(days, self.number(1, 3)))

    def date(self, near):
        year = "*"
        if self.chance(20):
            year = self.random.choice([str(near + 1), f"{near}..{near + 9}/2", f"{near}/3"])
        month = self.component(1, 12, 55)
        if self.chance(15):
            return f"{year}-{month}~{self.from_end()}"
        return f"{year}-{month}-{self.component(1, 31, 40)}"

    def expression(self, near):
        if self.chance(5):
            return self.random.choice(["minutely", "hourly", "daily", "weekly", "monthly",
                                       "quarterly", "semiannually", "yearly"])
        words = []
        if self.chance(40):
            words.append(self.weekdays())
        if self.chance(50):
            words.append(self.date(near))
        if self.chance(90) or not words:
            time = f"{self.component(0, 23, 30)}:{self.component(0, 59, 20)}"
            words.append(time + (f":{self.seconds()}" if self.chance(60) else ""))
        return " ".join(words)

    def cron_field(self, first, last, star, names=None):
        if self.chance(star):
            return "*" if self.chance(70) else f"*/{self.number(2, last)}"
        values = []
        for _ in range(self.number(1, 3)):
            start = self.number(first, last - 1)
            stop = self.number(start + 1, last)
            kind = self.number(0, 3)
            if kind == 0:
                values.append(f"{start}-{stop}")
            elif kind == 1:
                values.append(f"{start}-{stop}/{self.number(1, stop - start)}")
            elif names and self.chance(50):
                values.append(names[start - first])
            else:
                values.append(str(start))
        return ",".join(values)

    def cron(self):
        return " ".join([self.cron_field(0, 59, 20), self.cron_field(0, 23, 30),
                         self.cron_field(1, 31, 50), self.cron_field(1, 12, 60, MONTHS),
                         self.cron_field(0, 6, 50, DAYS)])


# --- matching ---------------------------------------------------------------------------------

def millionths(number):
    return round(float(number) * 1_000_000)


def listed(text, value, downwards=False):
    """Whether a component of a normalised OnCalendar expression has the value."""
    value = millionths(value)
    if text == "*":
        return True
    for element in text.split(","):
        bounds, _, step = element.partition("/")
        first, _, last = bounds.partition("..")
        start, step = millionths(first), millionths(step or 0)
        if last:
            on = start <= value <= millionths(last) and (value - start) % (step or millionths(1)) == 0
        elif step:
            on = (start - value if downwards else value - start) >= 0 and (value - start) % step == 0
        else:
            on = value == start
        if on:
            return True
    return False


def on_calendar(normalized, time):
    """Whether the clocks show a time that matches the expression."""
    words = normalized.split()
    if words[0][0].isalpha():
        names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        text = words.pop(0)
        for i, name in enumerate(names):
            text = text.replace(name, str(i))
        if not listed(text, time.weekday()):
            return False
    date, clock = words
    year, month, day = re.fullmatch(r"([^-]+)-([^-~]+)([-~].+)", date).groups()
    hour, minute, second = clock.split(":")
    days_of_month = (time.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    counted = days_of_month.day - time.day + 1 if day[0] == "~" else time.day
    return (listed(year, time.year) and listed(month, time.month)
            and listed(day[1:], counted, downwards=day[0] == "~") and listed(hour, time.hour)
            and listed(minute, time.minute)
            and listed(second, time.second + time.microsecond / 1_000_000))


def cron_values(field, first, last, names=()):
    for i, name in enumerate(names):
        field = field.replace(name, str(first + i))
    values = set()
    for element in field.split(","):
        bounds, _, step = element.partition("/")
        start, _, stop = (f"{first}-{last}" if bounds == "*" else bounds).partition("-")
        values.update(range(int(start), int(stop or start) + 1, int(step or 1)))
    return values


def on_cron(expression, time):
    """The same for a cron schedule, by crontab(5)."""
    minute, hour, day, month, weekday = expression.split()
    on_day = time.day in cron_values(day, 1, 31)
    on_weekday = time.isoweekday() % 7 in cron_values(weekday, 0, 6, DAYS)
    star = day.startswith("*") or weekday.startswith("*")
    return (time.minute in cron_values(minute, 0, 59) and time.hour in cron_values(hour, 0, 23)
            and time.month in cron_values(month, 1, 12, MONTHS)
            and (on_day and on_weekday if star else on_day or on_weekday))


# --- asking -----------------------------------------------------------------------------------

def whole_seconds(time):
    return time.replace(microsecond=0)


def ask_lull(lull, expressions, start, zone):
    """For each expression its normalised form and its slots, in UTC."""
    answer = subprocess.run(
        [lull, "calendar", *expressions, "--json", "--from", start.isoformat(), "--timezone", zone,
         "--count", str(SLOTS)], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(f"lull calendar failed: {answer.stderr}")
    for line in answer.stdout.splitlines():
        found = json.loads(line)
        slots = [dt.datetime.fromisoformat(slot).astimezone(UTC) for slot in found["next"]]
        yield found["normalized"], slots


# "Next elapse: Sun 2026-11-22 02:30:00 CET", and below it the same in UTC, where that differs.
ELAPSE = re.compile(r"^ *(Next elapse|Iter(?:\.|ation) #\d+|\(in UTC\)): (?:\w+ )?(\S+ \S+) UTC$")


def ask_systemd(expressions, start, zone):
    """The same, in whole seconds; None for an expression that it gives up on."""
    base = start.strftime("%Y-%m-%d %H:%M:%S UTC")
    answer = subprocess.run(
        ["systemd-analyze", "calendar", *expressions, f"--base-time={base}", f"--iterations={SLOTS}"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "TZ": zone, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"})
    if answer.returncode != 0:
        if len(expressions) == 1:
            return [None]
        return [one for e in expressions for one in ask_systemd([e], start, zone)]
    found = []
    for line in answer.stdout.splitlines():
        if "Normalized form: " in line:
            found.append((line.split("Normalized form: ")[1], []))
        elif match := ELAPSE.match(line):
            time = dt.datetime.strptime(match[2], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            found[-1][1].append(time)
    return found


# --- comparing --------------------------------------------------------------------------------

def near_a_change(time, zone):
    return len({(time + step).astimezone(zone).utcoffset()
                for step in (-NEAR_A_CHANGE, -NEAR_A_CHANGE / 2, dt.timedelta(0), NEAR_A_CHANGE / 2,
                             NEAR_A_CHANGE)}) > 1


def ends_a_gap(time, zone):
    second_before = time - dt.timedelta(seconds=1)
    return time.astimezone(zone).utcoffset() > second_before.astimezone(zone).utcoffset()


def by_our_rules(missed, added, zone, is_slot):
    """Whether what only lull has, and what only the other has, is as the rules about clocks want it."""
    shown = [time.astimezone(zone) for time in missed + added]
    return (all(near_a_change(time, zone) for time in missed + added)
            and all(is_slot(local) or ends_a_gap(local, zone) for local in shown[:len(missed)])
            and all(local.fold or not is_slot(local) for local in shown[len(missed):]))


def compare(ours, theirs, zone, is_slot):
    """None when they agree, else the reason, or an empty one."""
    ours_shown = [whole_seconds(time) for time in ours]
    if ours_shown == theirs:
        return None
    # Up to where both tell.
    full = [slots[-1] for slots in (ours_shown, theirs) if len(slots) == SLOTS]
    until = min(full) if full else dt.datetime.max.replace(tzinfo=UTC)
    missed = [time for time in ours if whole_seconds(time) <= until
              and whole_seconds(time) not in theirs]
    added = [time for time in theirs if time <= until and time not in ours_shown]
    if not missed + added:
        return ""
    if by_our_rules(missed, added, zone, is_slot):
        return "clocks"
    if added or not all(is_slot(time.astimezone(zone)) for time in missed):
        return ""
    return "passed over" if theirs else "gave up"


def check_systemd(lull, count, generator, verdicts):
    while count > 0:
        zone = generator.random.choice(ZONES)
        start = generator.start(zone)
        expressions = [generator.expression(start.year) for _ in range(min(BATCH, count))]
        count -= len(expressions)
        ours = ask_lull(lull, expressions, start, zone)
        theirs = ask_systemd(expressions, start, zone)
        for expression, mine, other in zip(expressions, ours, theirs, strict=True):
            other = other or (mine[0], [])
            reason = compare(mine[1], other[1], zoneinfo.ZoneInfo(zone),
                             lambda time, form=mine[0]: on_calendar(form, time))
            verdicts.add("systemd", reason if mine[0] == other[0] else "",
                         f"{expression!r} in {zone} from {start}", mine, other)


def ask_croniter(expression, start):
    """Nothing for a schedule that it gives up on."""
    both = all(not field.startswith("*") for field in (expression.split()[2], expression.split()[4]))
    schedule = croniter.croniter(expression, start, day_or=both)
    try:
        return [schedule.get_next(dt.datetime) for _ in range(SLOTS)]
    except croniter.CroniterBadDateError:
        return []


def names_every_weekday(expression):
    weekday = expression.split()[4]
    return not weekday.startswith("*") and len(cron_values(weekday, 0, 6, DAYS)) == 7


def check_cron(lull, count, generator, verdicts):
    """In UTC: what croniter does where clocks change is a matter of its own."""
    while count > 0:
        start = generator.start()
        expressions = [generator.cron() for _ in range(min(BATCH, count))]
        count -= len(expressions)
        for expression, mine in zip(expressions, ask_lull(lull, expressions, start, "UTC"), strict=True):
            theirs = ask_croniter(expression, start)
            reason = compare(mine[1], theirs, UTC, lambda time, text=expression: on_cron(text, time))
            if reason == "passed over" and names_every_weekday(expression):
                reason = "every weekday"
            verdicts.add("cron", reason, f"{expression!r} from {start}", mine[1], theirs)


class Verdicts:
    def __init__(self):
        self.counts = collections.Counter()

    def add(self, whose, reason, what, ours, theirs):
        name = "agree" if reason is None else reason or "DIFFER"
        self.counts[whose, name] += 1
        if reason == "":
            print(f"{whose}: {what}\n  lull:  {ours}\n  other: {theirs}")

    def print(self):
        for (whose, name), count in sorted(self.counts.items()):
            print(f"{whose}: {count} {name}" + (f" ({REASONS[name]})" if name in REASONS else ""))

    def failed(self):
        return any(name == "DIFFER" for _, name in self.counts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lull")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    verdicts = Verdicts()
    generator = Generator(options.seed)
    check_systemd(options.lull, options.count, generator, verdicts)
    check_cron(options.lull, options.count // 2, generator, verdicts)
    verdicts.print()
    sys.exit(verdicts.failed())


if __name__ == "__main__":
    main()
