// SPDX-License-Identifier: Apache-2.0
#include "locale/mo_file.hpp"

#include "base/utf8.hpp"
#include "http/ascii.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>

namespace squall::locale {
namespace {

namespace ascii = http::ascii;

constexpr std::uint32_t magic = 0x950412de;
constexpr std::uint32_t swapped_magic = 0xde120495;
// Places of the head's numbers.
constexpr std::size_t revision_at = 4, count_at = 8, originals_at = 12, translations_at = 16;
constexpr std::size_t head_size = 28, system_dependent_at = 36;

class Reader {
 public:
  Reader(std::string_view bytes, std::string& why) : bytes_(bytes), why_(why) {}

  bool read_head(std::size_t max_messages) {
    if (bytes_.size() > std::numeric_limits<std::uint32_t>::max()) return fail("it is too large");
    if (bytes_.size() < head_size) return fail("it is too short to be a .mo file");
    const std::uint32_t mark = number(0);
    swapped_ = mark == swapped_magic;
    if (!swapped_ && mark != magic) return fail("it is not a .mo file: the first bytes are others");
    if (number(revision_at) >> 16 > 1) {
      return fail(fmt::format("byte {}: revision {} of the format is not known", revision_at,
                              number(revision_at) >> 16));
    }
    count = number(count_at);
    if (count > max_messages) {
      return fail(fmt::format("it has {} messages; {} are allowed", count, max_messages));
    }
    return check_table(originals_at) && check_table(translations_at);
  }

  /// Those that depend on the machine (PRIu64 and the like), which programs here have no use for.
  [[nodiscard]] std::uint32_t system_dependent() const noexcept {
    const bool has_them = (number(revision_at) & 0xffff) == 1;
    return has_them && bytes_.size() >= system_dependent_at + 4 ? number(system_dependent_at) : 0;
  }

  struct Text {
    std::uint32_t at;
    std::uint32_t size;
  };
  std::optional<Text> original(std::uint32_t index) { return text(originals_at, index); }
  std::optional<Text> translation(std::uint32_t index) { return text(translations_at, index); }
  [[nodiscard]] std::string_view view(Text text) const noexcept {
    return bytes_.substr(text.at, text.size);
  }
  bool fail(std::string what) {
    why_ = std::move(what);
    return false;
  }

  std::uint32_t count = 0;

 private:
  [[nodiscard]] std::uint32_t number(std::size_t at) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[at + i]);
      value |= static_cast<std::uint32_t>(byte) << (swapped_ ? 24 - 8 * i : 8 * i);
    }
    return value;
  }

  bool check_table(std::size_t at) {
    const std::uint64_t begin = number(at);
    if (begin + std::uint64_t{8} * count <= bytes_.size()) return true;
    return fail(fmt::format("byte {}: the table of texts ends behind the file", at));
  }

  std::optional<Text> text(std::size_t table_at, std::uint32_t index) {
    const std::size_t at = number(table_at) + std::size_t{8} * index;
    const Text text{number(at + 4), number(at)};
    const std::uint64_t end = std::uint64_t{text.at} + text.size;
    if (end >= bytes_.size() || bytes_[end] != '\0') {
      fail(fmt::format("byte {}: text {} does not end within the file", at, index + 1));
      return {};
    }
    if (!is_utf8(view(text))) {
      fail(fmt::format("byte {}: text {} is not UTF-8", text.at, index + 1));
      return {};
    }
    return text;
  }

  std::string_view bytes_;
  std::string& why_;
  bool swapped_ = false;
};

// The value of a line `name: value` of a catalogue's head, in any case.
std::string_view head_field(std::string_view head, std::string_view name) noexcept {
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && ascii::equal(ascii::trim(line.substr(0, colon)), name)) {
      return ascii::trim(line.substr(colon + 1));
    }
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + 1);
  }
  return {};
}

bool is_known_charset(std::string_view content_type, std::string& why) {
  constexpr std::string_view label = "charset=";
  const std::size_t at = content_type.find(label);
  if (at == std::string_view::npos) return true;
  std::string_view charset = content_type.substr(at + label.size());
  charset = ascii::trim(charset.substr(0, charset.find(';')));
  for (const std::string_view known : {"UTF-8", "UTF8", "US-ASCII", "ASCII", "ANSI_X3.4-1968"}) {
    if (ascii::equal(charset, known)) return true;
  }
  why = fmt::format("its charset is \"{}\": make it UTF-8, with msgconv --to-code=UTF-8", charset);
  return false;
}

}  // namespace

std::unique_ptr<const Messages> read_mo_file(std::string bytes, std::size_t max_messages,
                                             std::string& why, std::string& note) {
  Catalog catalog(std::move(bytes));
  Reader reader(catalog.text(), why);
  if (!reader.read_head(max_messages)) return nullptr;

  PluralRule rule;
  for (std::uint32_t i = 0; i < reader.count; ++i) {
    const auto original = reader.original(i);
    if (!original) return nullptr;
    if (original->size == 0) {  // the catalogue's head; its charset before all texts
      const auto head = reader.translation(i);
      if (!head) return nullptr;
      if (!is_known_charset(head_field(reader.view(*head), "Content-Type"), why)) return nullptr;
      const std::string_view plural = head_field(reader.view(*head), "Plural-Forms");
      if (plural.empty()) continue;
      auto parsed = PluralRule::parse(plural, why);
      if (!parsed) return nullptr;
      rule = *std::move(parsed);
      continue;
    }
    const auto translation = reader.translation(i);
    if (!translation) return nullptr;
    const std::size_t nul = reader.view(*original).find('\0');
    const bool has_plural = nul != std::string_view::npos;
    catalog.add({original->at, has_plural ? static_cast<std::uint32_t>(nul) : original->size,
                 translation->at, translation->size, has_plural});
  }
  if (const std::uint32_t skipped = reader.system_dependent(); skipped != 0) {
    note = fmt::format("{} messages with numbers of C's inttypes.h are left out", skipped);
  }
  catalog.shrink();
  return std::make_unique<const GettextMessages>(std::move(catalog), std::move(rule));
}

}  // namespace squall::locale
