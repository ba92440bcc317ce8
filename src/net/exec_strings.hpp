// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace squall::net {

/// What exec(2) and its kin take: pointers to the texts, which stay the caller's, and a last null.
inline std::vector<char*> exec_pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace squall::net
