// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>

namespace squall::net {

class TLSFilter;

/// A BIO that reads what its filter received and writes to where its stream sends from. All that
/// OpenSSL calls back finds the filter through it. Throws std::system_error.
[[nodiscard]] BIO* make_wire_bio(TLSFilter& filter);

}  // namespace squall::net
