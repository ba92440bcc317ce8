// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/testing/http_test.hpp>
#include <squall/web/application.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace squall::testing {

/// A fixture that serves the application of get_app() for each test. `Base` is what a framework's
/// fixtures are made of: of GoogleTest's that is ::testing::Test, of others something with virtual
/// SetUp() and TearDown().
///
///     struct HelloTest : squall::testing::HTTPTestCase<::testing::Test> {
///       std::unique_ptr<web::Application> get_app() override { return make_hello(); }
///     };
///     TEST_F(HelloTest, Greets) { EXPECT_EQ(fetch("/").code(), 200); }
template <class Base>
class HTTPTestCase : public Base {
 protected:
  virtual std::unique_ptr<web::Application> get_app() = 0;
  [[nodiscard]] virtual HTTPTestOptions get_options() { return {}; }

  void SetUp() override {
    app_ = get_app();
    test_ = std::make_unique<HTTPTest>(*app_, get_options());
  }
  void TearDown() override {
    test_.reset();
    app_.reset();
  }

  [[nodiscard]] web::Application& app() { return *app_; }
  /// All that HTTPTest has.
  [[nodiscard]] HTTPTest& http() { return *test_; }
  Response fetch(std::string_view path, const FetchOptions& options = {}) {
    return test_->fetch(path, options);
  }
  [[nodiscard]] std::string get_url(std::string_view path) const { return test_->get_url(path); }

 private:
  std::unique_ptr<web::Application> app_;
  std::unique_ptr<HTTPTest> test_;
};

}  // namespace squall::testing
