// SPDX-License-Identifier: Apache-2.0
#include "realtime/redis_connection.hpp"

#include <squall/base/error.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/stream_error.hpp>
#include <squall/net/tcp_client.hpp>

#include <array>
#include <utility>

namespace squall::realtime {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;

Duration quarter(Duration whole) noexcept {
  return Duration::from_nanoseconds(whole.nanoseconds() / 4 + 1'000'000);
}

template <class... Words>
void append(std::string& to, const Words&... words) {
  const std::array<std::string_view, sizeof...(Words)> list{std::string_view(words)...};
  append_redis_command(to, list);
}

}  // namespace

Task<std::error_code> RedisConnection::open() {
  const Duration limit = settings_.connect_timeout;
  try {
    const std::error_code error = co_await with_timeout(limit, open_in_time());
    co_return error;
  } catch (const TimeoutError&) {
    error_text_ = "no connection within the connect timeout";
  } catch (const CancelledError&) {
    throw;
  } catch (const std::exception& error) {
    error_text_ = error.what();
  }
  co_return std::make_error_code(std::errc::timed_out);
}

Task<std::error_code> RedisConnection::open_in_time() {
  Result<net::Stream> made = co_await connect();
  if (!made) {
    error_text_ = made.error().message();
    co_return made.error();
  }
  stream_ = *std::move(made);
  stream_.set_write_timeout(settings_.reply_timeout);
  const std::error_code error = co_await introduce();
  if (error && error_text_.empty()) error_text_ = error.message();
  co_return error;
}

Task<Result<net::Stream>> RedisConnection::connect() {
  net::TCPClient client;
  net::ConnectOptions options{.timeout = settings_.connect_timeout};
  if (settings_.target.tls) options.tls = &settings_.tls;
  if (!settings_.target.unix_path.empty()) {
    co_return co_await client.try_connect_unix(settings_.target.unix_path, options);
  }
  co_return co_await client.try_connect(settings_.target.host, settings_.target.port, options);
}

Task<std::error_code> RedisConnection::introduce() {
  const RedisTarget& target = settings_.target;
  std::string commands;
  std::vector<const char*> names;  // of the commands, for what goes wrong
  if (!target.password.empty() && target.user.empty()) {
    append(commands, "AUTH", target.password);
    names.push_back("AUTH");
  } else if (!target.password.empty() || !target.user.empty()) {
    append(commands, "AUTH", target.user, target.password);
    names.push_back("AUTH");
  }
  if (target.database != 0) {
    append(commands, "SELECT", std::to_string(target.database));
    names.push_back("SELECT");
  }
  append(commands, "CLIENT", "SETNAME", settings_.client_name);
  names.push_back("");  // a courtesy
  append(commands, "PING");
  names.push_back("PING");
  if (!settings_.durable) {
    append(commands, "INFO", "server");
    names.push_back("INFO");
  }
  stream_.write(commands);
  run_id_.assign(run_id_bytes, '0');
  for (const char* name : names) {
    const Result<RedisReply> reply = co_await read_reply();
    if (!reply) co_return reply.error();
    const RedisValue value = reply->value();
    const std::string_view command = name;
    if (command.empty()) continue;
    if (value.is(RedisValue::Kind::error)) {
      error_text_ = std::string(command) + ": " + std::string(value.text());
      co_return std::make_error_code(std::errc::permission_denied);
    }
    if (command == "INFO") {
      const std::error_code error = take_run_id(value.text());
      if (error) co_return error;
    }
  }
  co_return std::error_code();
}

std::error_code RedisConnection::take_run_id(std::string_view info) {
  constexpr std::string_view field = "\nrun_id:";
  const auto start = info.find(field);
  if (start == std::string_view::npos) {
    error_text_ = "INFO tells no run_id, without which a restart of the server goes unnoticed";
    return std::make_error_code(std::errc::not_supported);
  }
  std::string_view id = info.substr(start + field.size());
  id = id.substr(0, id.find_first_of("\r\n"));
  run_id_ = id.substr(0, run_id_bytes);
  run_id_.resize(run_id_bytes, '0');
  return {};
}

Task<Result<RedisReply>> RedisConnection::read_reply() {
  buffer_.resize(read_bytes);
  for (;;) {
    RedisReply reply;
    if (!parser_.next(reply)) {
      error_text_ = "not the Redis protocol: " + std::string(parser_.error_text());
      co_return std::make_error_code(std::errc::protocol_error);
    }
    if (!reply.is_empty()) co_return std::move(reply);
    const Result<std::size_t> got = co_await stream_.read_some(buffer_);
    if (!got) co_return got.error();
    if (*got == 0) co_return net::StreamError::end_of_stream;
    if (!parser_.feed({buffer_.data(), *got})) {
      co_return std::make_error_code(std::errc::not_enough_memory);
    }
  }
}

Task<std::error_code> RedisConnection::receive() {
  stream_.set_read_timeout(quarter(settings_.reply_timeout));
  for (;;) {
    for (;;) {
      RedisReply reply;
      if (!parser_.next(reply)) {
        error_text_ = "not the Redis protocol: " + std::string(parser_.error_text());
        co_return std::make_error_code(std::errc::protocol_error);
      }
      if (reply.is_empty()) break;
      receiver_.on_reply(std::move(reply));
    }
    const Result<std::size_t> got = co_await stream_.read_some(buffer_);
    std::error_code error = got.error();
    if (error == net::StreamError::read_timed_out) {
      if (receiver_.on_silence()) continue;
      error = std::make_error_code(std::errc::timed_out);
    } else if (got.has_value() && *got == 0) {
      error = net::StreamError::end_of_stream;
    }
    if (!error && !parser_.feed({buffer_.data(), *got})) {
      error = std::make_error_code(std::errc::not_enough_memory);
    }
    if (error) {
      error_text_ = error.message();
      co_return error;
    }
  }
}

}  // namespace squall::realtime
