# SPDX-License-Identifier: Apache-2.0
"""Just enough C++ for tools/check_coroutines: comments and literals blanked, brackets matched,
lambdas and statements found. Blanking keeps every offset and every line where it was."""
import bisect
import re

OPEN, CLOSE = "([{", ")]}"
_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\s\\"]{0,16})\(.*?\)(?P=d)"'
                    r"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
_BLOCK = re.compile(r"(?:[);{}]|\b(?:else|do|try|const|noexcept|override|final|mutable)"
                    r"|\)[\s\w()]*->[\s\w:<>,*&]+)$")
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)


def _blank(match):
    text = match[0]
    if text.startswith(("/", "#")) or text.lstrip().startswith("#"):
        return re.sub(r"[^\n]", " ", text)
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


class Lambda:
    """Offsets of one lambda: its introducer, its captures, its parameters, its body's braces."""

    def __init__(self, start, captures, params, body, end):
        self.start, self.captures, self.params = start, captures, params
        self.body, self.end = body, end

    def captures_by_value(self):
        """Whether something other than `this` is captured by value."""
        items = [item.strip() for item in split(self.captures)]
        return any(item and not item.startswith("&") and item != "this" for item in items)


def split(text):
    """The parts of `text` between its outermost commas."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "([{<":
            depth += 1
        elif char in ")]}" or (char == ">" and text[at - 1:at] != "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return parts + [text[start:]]


class Text:
    """One file, or one code block of a document."""

    def __init__(self, source, first_line=1):
        self.source, self.first_line = source, first_line
        self.code = _PREPROCESSOR.sub(_blank, _TOKEN.sub(_blank, source))
        self.newlines = [at for at, char in enumerate(source) if char == "\n"]
        self.pair = self._match()
        self.lambdas = self._lambdas()
        self.bodies = {found.body: found for found in self.lambdas}

    def line(self, at):
        return bisect.bisect_left(self.newlines, at) + self.first_line

    def _match(self):
        pair, stack = {}, []
        for at, char in enumerate(self.code):
            if char in OPEN:
                stack.append(at)
            elif char in CLOSE and stack and OPEN[CLOSE.index(char)] == self.code[stack[-1]]:
                pair[at] = stack.pop()
                pair[pair[at]] = at
        return pair

    def _skip(self, at, pattern):
        match = re.compile(pattern).match(self.code, at)
        return match.end() if match else at

    def _lambdas(self):
        found = []
        for match in re.finditer(r"\[", self.code):
            start = match.start()
            before = self.code[:start].rstrip()[-8:]
            if start not in self.pair or self.code[start + 1:start + 2] == "[":
                continue
            if re.search(r"[\w)\]\[]$", before) and not re.search(r"\b(return|co_await)$", before):
                continue
            end = self.pair[start]
            at = self._skip(end + 1, r"\s*(<[^{};]*?>\s*(?=\())?")
            params = ""
            if self.code[at:at + 1] == "(" and at in self.pair:
                params = self.code[at + 1:self.pair[at]]
                at = self.pair[at] + 1
            at = self._skip(at, r"(\s*(mutable|constexpr|static|noexcept(\([^()]*\))?)\b)*"
                                r"(\s*->\s*[\w:<>,*&\s]+)?\s*")
            if self.code[at:at + 1] == "{" and at in self.pair:
                found.append(Lambda(start, self.code[start + 1:end], params, at, self.pair[at]))
        return found

    def opens_block(self, brace):
        """Whether this `{` opens statements rather than an initialiser."""
        return brace in self.bodies or bool(
            _BLOCK.search(self.code[max(0, brace - 160):brace].rstrip())) or bool(
            re.search(r"\b(struct|class|namespace|enum|union)\b[^;{}()=]*$",
                      self.code[max(0, brace - 160):brace]))

    def own(self, start, end):
        """The code in [start, end) with the bodies of the lambdas that begin there blanked."""
        code = self.code[start:end]
        for found in self.lambdas:
            if start <= found.start < end:
                low, high = found.body - start + 1, min(found.end, end) - start
                code = code[:low] + re.sub(r"[^\n]", " ", code[low:high]) + code[high:]
        return code

    def statement(self, at):
        """The bounds of the innermost statement around `at`, or of the condition it stands in."""
        start = at
        while start > 0:
            char = self.code[start - 1]
            if char == ";" or (char == "{" and self.opens_block(start - 1)):
                break
            if char in CLOSE and start - 1 in self.pair:
                opener = self.pair[start - 1]
                if char == "}" and self.opens_block(opener) and opener not in self.bodies:
                    break
                start = opener
            else:
                start -= 1
        end = at
        while end < len(self.code):
            char = self.code[end]
            if char == ";":
                break
            if char in OPEN and end in self.pair:
                if char == "{" and self.opens_block(end) and end not in self.bodies:
                    break
                end = self.pair[end] + 1
            elif char == "}" and end in self.pair and self.opens_block(self.pair[end]):
                break
            else:
                end += 1
        return start, end
