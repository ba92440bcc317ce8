// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "locale/catalog.hpp"
#include "locale/plural_rule.hpp"

#include <cstdint>
#include <string_view>

namespace squall::locale {

/// The messages of one language. A result without data() says that there is no translation.
class Messages {
 public:
  Messages() = default;
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  virtual ~Messages() = default;

  [[nodiscard]] virtual std::string_view find(std::string_view message) const noexcept = 0;
  [[nodiscard]] virtual std::string_view find(std::string_view message, std::string_view plural,
                                              std::int64_t count) const noexcept = 0;
  [[nodiscard]] virtual std::string_view find_in(std::string_view context,
                                                 std::string_view message) const noexcept = 0;
  [[nodiscard]] virtual std::string_view find_in(std::string_view context, std::string_view message,
                                                 std::string_view plural,
                                                 std::int64_t count) const noexcept = 0;
};

/// Of a gettext catalogue.
class GettextMessages final : public Messages {
 public:
  GettextMessages(Catalog catalog, PluralRule rule) noexcept
      : catalog_(std::move(catalog)), rule_(std::move(rule)) {}

  [[nodiscard]] std::string_view find(std::string_view message) const noexcept override;
  [[nodiscard]] std::string_view find(std::string_view message, std::string_view plural,
                                      std::int64_t count) const noexcept override;
  [[nodiscard]] std::string_view find_in(std::string_view context,
                                         std::string_view message) const noexcept override;
  [[nodiscard]] std::string_view find_in(std::string_view context, std::string_view message,
                                         std::string_view plural,
                                         std::int64_t count) const noexcept override;

 private:
  [[nodiscard]] std::string_view text(const Catalog::Entry* entry) const noexcept;
  [[nodiscard]] std::string_view form(const Catalog::Entry* entry,
                                      std::uint64_t count) const noexcept;

  Catalog catalog_;
  PluralRule rule_;
};

/// Of one of Tornado's CSV files.
class CSVMessages final : public Messages {
 public:
  [[nodiscard]] std::string_view find(std::string_view message) const noexcept override;
  [[nodiscard]] std::string_view find(std::string_view message, std::string_view plural,
                                      std::int64_t count) const noexcept override;
  [[nodiscard]] std::string_view find_in(std::string_view context,
                                         std::string_view message) const noexcept override;
  [[nodiscard]] std::string_view find_in(std::string_view context, std::string_view message,
                                         std::string_view plural,
                                         std::int64_t count) const noexcept override;

  Catalog unknown;  // by the message; what says nothing about the plural
  Catalog singular;
  Catalog plurals;  // by the plural message

 private:
  void warn_of_context() const noexcept;
};

}  // namespace squall::locale
