// SPDX-License-Identifier: Apache-2.0
#include <squall/coro/task_group.hpp>
#include <squall/coro/with_timeout.hpp>
#include <squall/net/subprocess.hpp>

#include <utility>

namespace squall {
namespace {

Task<> feed(net::Stream* pipe, std::string bytes) {
  // A child need not read all of its input: that it closes the pipe is no failure.
  static_cast<void>(co_await pipe->write_owned(std::move(bytes)));
  pipe->close();
}

Task<> collect(net::Stream* pipe, std::string* into, std::size_t max_bytes) {
  auto bytes = co_await pipe->read_until_close(max_bytes);
  if (!bytes) {
    throw Error("a process wrote more than max_output_bytes (" + std::to_string(max_bytes) +
                "), or its pipe broke: " + bytes.error().message());
  }
  *into = std::move(*bytes);
}

Task<CompletedProcess> finish(Subprocess process, std::string input, std::size_t max_bytes) {
  CompletedProcess completed;
  TaskGroup group;
  group.spawn(feed(&process.input(), std::move(input)));
  group.spawn(collect(&process.output(), &completed.output, max_bytes));
  group.spawn(collect(&process.error_output(), &completed.error_output, max_bytes));
  co_await group.join();
  completed.status = co_await process.wait();
  co_return completed;
}

}  // namespace

Task<CompletedProcess> run_process(const Command& command, const RunOptions& options) {
  SubprocessOptions how;
  how.input = how.output = how.error_output = Stdio::pipe;
  how.directory = options.directory;
  how.environment = options.environment;
  how.clear_environment = options.clear_environment;
  auto task =
      finish(Subprocess(command, how), std::string(options.input), options.max_output_bytes);
  if (options.timeout.nanoseconds() <= 0) return task;
  return with_timeout(options.timeout, std::move(task));
}

}  // namespace squall
