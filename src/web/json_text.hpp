// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/json.hpp>

#include <string>

namespace squall::web {

/// Appends the text of a JSON document, without a string in between.
template <class T>
void append_json(std::string& out, const T& document) {
  json::serializer serializer;
  serializer.reset(&document);
  char piece[2048];
  while (!serializer.done()) {
    const json::string_view text = serializer.read(piece, sizeof piece);
    out.append(text.data(), text.size());
  }
}

}  // namespace squall::web
