import hashlib
import itertools
import math
import re
from collections import Counter

import pytest

from model.stories import END, GRAMMAR, generate, parse, stories

# Slots with and without columns, and rules; every story shows every slot.
SURE = parse("""
story: {hero} and {beast} <ran>./<ran>: {beast}, {hero}. {She}?
ran: ran/sat
once hero she: Al | he/Bea | she/Cy | he
once beast: an owl/a cat
""")


def every_story(grammar):
    """(p, text) of each way to make a story, by trying out all choices."""
    rules, slots = grammar

    def ways(part, words):
        if part not in rules:
            return [(1.0, words.get(part, part))]
        found = []
        for _, p, parts in rules[part]:
            for way in itertools.product(*(ways(inner, words) for inner in parts)):
                found.append((p * math.prod(q for q, _ in way), "".join(text for _, text in way)))
        return found

    for values in itertools.product(*slots.values()):
        words = {name: text for _, _, texts in values for name, text in texts.items()}
        for p, text in ways("<story>", words):
            yield p * math.prod(q for _, q, _ in values), text + END


def derivations(text, grammar=GRAMMAR):
    """The surprises of all ways to make a story that reads like `text`."""
    rules, slots = grammar
    slot_of = {mention: name for name in slots for mention in slots[name][0][2]}

    def sequence(parts, at, bound):
        if not parts:
            yield at, 0.0, bound
            return
        for middle, first, between in ways(parts[0], at, bound):
            for end, rest, after in sequence(parts[1:], middle, between):
                yield end, first + rest, after

    def ways(part, at, bound):
        if part in rules:
            for _, p, parts in rules[part]:
                for end, surprise, after in sequence(parts, at, bound):
                    yield end, surprise - math.log(p), after
        elif part not in slot_of:
            if text.startswith(part, at):
                yield at + len(part), 0.0, bound
        else:
            name = slot_of[part]
            for i in [bound[name]] if name in bound else range(len(slots[name])):
                word = slots[name][i][2][part]
                if text.startswith(word, at):
                    yield at + len(word), 0.0, bound | {name: i}

    found = []
    for end, surprise, bound in sequence(["<story>", END], 0, {}):
        if end == len(text) and len(bound) == len(slots):
            drawn = [-math.log(slots[name][i][1]) for name, i in bound.items()]
            found.append(surprise + math.fsum(drawn))
    return found


def two_ways(grammar):
    """Whether two different ways through the rules can spell the same text.

    Every mention of a slot may spell any of its values here, on its own. So some texts are no
    stories, but all ways to make stories are among the ways. What may follow a place in the rules
    is a list of (letter, what may follow then); two ways that have parted walk on side by side
    as long as their letters agree, and if they come to stand at the same place, there are two.
    """
    rules, slots = grammar
    values = {}
    for choices in slots.values():
        for mention in choices[0][2]:
            values[mention] = {words[mention] for _, _, words in choices}
    lists, made = [[]], {}

    def new(entries):
        lists.append(entries)
        return len(lists) - 1

    def spell(word, then):
        for letter in reversed(word):
            then = new([(letter, then)])
        return then

    def tree(words, then):
        """One way for each of several different words, none of which begins another one."""
        entries = []
        for letter, group in itertools.groupby(sorted(words), key=lambda word: word[0]):
            tails = [word[1:] for word in group]
            assert "" not in tails or len(tails) == 1
            entries.append((letter, then if tails == [""] else tree(tails, then)))
        return new(entries)

    def before(part, then):
        if (part, then) not in made:
            if part in rules:
                entries = []
                for _, _, parts in rules[part]:
                    start = then
                    for inner in reversed(parts):
                        start = before(inner, start)
                    entries += lists[start]
                made[part, then] = new(entries)
            else:
                made[part, then] = tree(values[part], then) if part in values else spell(part, then)
        return made[part, then]

    before("<story>", spell(END, 0))
    parted = {
        (after, other)
        for entries in lists
        for (letter, after), (same, other) in itertools.combinations(entries, 2)
        if letter == same
    }
    todo = list(parted)
    while todo:
        one, two = todo.pop()
        if one == two:
            return True
        for (letter, after), (same, other) in itertools.product(lists[one], lists[two]):
            if letter == same and (after, other) not in parted:
                parted.add((after, other))
                todo.append((after, other))
    return False


def always(part, rules):
    """The mentions, capitals or not, that occur however a part is expanded."""
    if part not in rules:
        return {part.lower()}
    ways = [set().union(*(always(inner, rules) for inner in parts)) for _, _, parts in rules[part]]
    return set.intersection(*ways)


def test_first_megabyte_is_the_same_everywhere():
    digest = hashlib.sha256(generate(1, 1_000_000).encode("ascii")).hexdigest()
    assert digest == "17d9cc8ebf97d02f457fc180b816951b337c1cd0638a9e3e2e477f8e45416003"


def test_smaller_text_begins_the_larger_one():
    text = generate(5, 10_000)
    assert len(text) == 10_000
    assert all(text.startswith(generate(5, size)) for size in [0, 1, 449, 5_000])


def test_each_seed_has_its_own_stories():
    assert len({generate(seed, 1_000) for seed in range(20)}) == 20


def test_alphabet_has_72_characters():
    """All of a-z, A-Z, 0-9, space, newline and !"',.:;? and nothing else."""
    letters = set(generate(1, 1_000_000))
    assert len(letters) == 72
    assert all(letter.isalnum() or letter in " \n!\"',.:;?" for letter in letters)


def test_drawn_stories_are_as_frequent_as_written_out():
    """20,000 draws from a tiny grammar: each share within 5 standard errors."""
    counts = Counter(text for text, _ in itertools.islice(stories(3, SURE), 20_000))
    for p, text in every_story(SURE):
        assert abs(counts[text] / 20_000 - p) < 5 * math.sqrt(p * (1 - p) / 20_000)


def test_text_tells_which_choices_were_made():
    """A parser finds one derivation of each of 200 stories, as surprising as the draws were."""
    for text, surprise in itertools.islice(stories(4), 200):
        assert derivations(text) == [pytest.approx(surprise, abs=1e-9)]


def test_no_text_has_two_derivations():
    """For all stories: no two ways spell the same text, and each story shows each of its slots."""
    rules, slots = GRAMMAR
    assert not two_ways(GRAMMAR)
    assert not two_ways(SURE)
    for choices in slots.values():
        first = next(iter(choices[0][2]))
        assert first in always("<story>", rules)
        values = [words[first].lower() for _, _, words in choices]
        assert len(set(values)) == len(values)


@pytest.mark.parametrize(
    "rules",
    [
        "story: <a><a>\na: x/xx",
        "story: <a>/<b>\na: it is/it was\nb: he is/it was",
        "story: so it was/so it was",
        "story: <a> <a>\na: old/old old\n",
    ],
)
def test_rules_with_two_ways_to_the_same_text_are_found_out(rules):
    assert two_ways(parse(rules))


def test_blank_line_ends_a_story_and_stands_nowhere_else():
    for text, _ in itertools.islice(stories(6), 1_000):
        assert text.endswith(".\n\n") and text.count("\n") == 2


def test_words_agree():
    """No double space, a and an as spoken, were after plurals only, and one pronoun a story."""
    choices = GRAMMAR[1]["<once thing it they was>"]
    things = {words["{the thing}"]: words["{was}"] for _, _, words in choices}
    for text, _ in itertools.islice(stories(7), 2_000):
        assert "  " not in text and " ." not in text and " ," not in text
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", text)
        for thing, verb in re.findall(r"\b(the \w+) (was|were)\b", text):
            assert things.get(thing, "was") == verb
        assert not (re.search(r"\b[Ss]he\b", text) and re.search(r"\b[Hh]e\b", text))
