// SPDX-License-Identifier: Apache-2.0
#include "http/content_coding.hpp"

#include "http/ascii.hpp"
#include "http/qvalue.hpp"
#include "http/tokens.hpp"

namespace squall::http {
namespace {

constexpr std::array<std::string_view, content_coding_count> names = {"identity", "gzip", "br",
                                                                      "zstd", "deflate"};

constexpr std::string_view compressible_types[] = {
    "application/ecmascript",
    "application/geo+json-seq",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/ndjson",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-otf",
    "application/x-font-ttf",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-tar",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "font/collection",
    "font/otf",
    "font/sfnt",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "image/x-ms-bmp",
    "message/rfc822",
};

bool ends_with(std::string_view text, std::string_view ending) noexcept {
  return text.size() >= ending.size() &&
         ascii::equal(text.substr(text.size() - ending.size()), ending);
}

}  // namespace

std::string_view to_string(ContentCoding coding) noexcept {
  return names[static_cast<std::size_t>(coding)];
}

std::optional<ContentCoding> content_coding(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (ascii::equal(name, names[i])) return static_cast<ContentCoding>(i);
  }
  if (ascii::equal(name, "x-gzip")) return ContentCoding::gzip;
  return {};
}

bool is_compressible(std::string_view content_type) noexcept {
  const std::string_view type = ascii::trim(content_type.substr(0, content_type.find(';')));
  if (ascii::equal(type.substr(0, 5), "text/")) return true;
  if (ends_with(type, "+json") || ends_with(type, "+xml") || ends_with(type, "+text") ||
      ends_with(type, "+yaml")) {
    return true;
  }
  for (const std::string_view known : compressible_types) {
    if (ascii::equal(type, known)) return true;
  }
  return false;
}

AcceptEncoding::AcceptEncoding(const RequestHead& head) noexcept : AcceptEncoding() {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    if (ascii::equal(head.field_name(i), "Accept-Encoding")) add(head.field_value(i));
  }
}

void AcceptEncoding::add(std::string_view field) noexcept {
  present_ = true;
  for (ListReader list(field); list.next();) {
    const auto member = weighted(list.element());
    if (!member) continue;
    if (member->value == "*") {
      others_ = member->weight;
    } else if (const auto coding = content_coding(member->value)) {
      weights_[static_cast<std::size_t>(*coding)] = member->weight;
    }
  }
}

// 0 is refused. One is what identity has when nobody spoke of it, so named ones begin at two.
unsigned AcceptEncoding::weight(ContentCoding coding) const noexcept {
  if (!present_) return coding == ContentCoding::identity ? 2 : 1;
  const std::uint16_t named = weights_[static_cast<std::size_t>(coding)];
  const std::uint16_t thousandths = named != unnamed ? named : others_;
  if (thousandths == unnamed) return coding == ContentCoding::identity ? 1 : 0;
  return thousandths == 0 ? 0 : thousandths + 1U;
}

AcceptEncoding::Ranking AcceptEncoding::rank(
    std::span<const ContentCoding> available) const noexcept {
  Ranking ranking;
  for (const ContentCoding coding : available.first(
           available.size() < content_coding_count ? available.size() : content_coding_count)) {
    const unsigned own = weight(coding);
    if (own == 0) continue;
    std::size_t at = ranking.count++;
    for (; at > 0 && weight(ranking.codings[at - 1]) < own; --at) {
      ranking.codings[at] = ranking.codings[at - 1];
    }
    ranking.codings[at] = coding;
  }
  return ranking;
}

std::optional<ContentCoding> AcceptEncoding::choose(
    std::span<const ContentCoding> available) const noexcept {
  const Ranking ranking = rank(available);
  if (ranking.count == 0) return {};
  return ranking.codings[0];
}

}  // namespace squall::http
