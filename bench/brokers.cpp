// SPDX-License-Identifier: Apache-2.0
//
// bench_brokers URL [subscribers] [bytes] [seconds]: publications a second through a broker, and
// what reaches its subscribers. The server at URL (redis://, unix://, nats://) must run already;
// use one of its own, for its channel `bench` is published to.
#include <squall/realtime/nats_broker.hpp>
#include <squall/realtime/redis_broker.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using squall::Result;
using namespace squall::realtime;
using Clock = std::chrono::steady_clock;

class Counter final : public BrokerListener {
 public:
  void on_publication(PublicationRef) override { count.fetch_add(1, std::memory_order_relaxed); }
  void on_interrupted() override { std::fputs("interrupted\n", stderr); }
  void on_restored() override {}
  std::atomic<std::uint64_t> count{0};
};

/// One process's worth: a broker and who listens.
struct Process {
  explicit Process(std::string_view url)
      : broker(url.starts_with("nats") ? nats_broker({.url = url}) : redis_broker({.url = url})) {
    broker->start(listener);
  }
  ~Process() { broker->stop(); }
  Counter listener;
  BrokerPtr broker;
};

/// Publishes with at most `window` calls unanswered; counts answers and failures.
class Publisher {
 public:
  Publisher(Broker& broker, std::size_t bytes, const HistoryLimits& limits)
      : broker_(broker), text_(bytes, 'x'), limits_(limits) {}
  void run(std::uint64_t window, Clock::time_point until) {
    while (Clock::now() < until) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return sent_ - answered_ < window; });
      // In bursts, so that what is measured is the broker and not the waking of this thread.
      const std::uint64_t burst = window - (sent_ - answered_);
      sent_ += burst;
      lock.unlock();
      for (std::uint64_t i = 0; i < burst; ++i) {
        broker_.publish(Publication::create("bench", text_), limits_,
                        [this, window](Result<Position> result) {
                          const std::scoped_lock locked(mutex_);
                          failed_ += result ? 0 : 1;
                          ++answered_;
                          if (sent_ - answered_ <= window / 2) changed_.notify_one();
                        });
      }
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sent_ == answered_; });
  }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  Broker& broker_;
  std::string text_;
  HistoryLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t failed_ = 0;
};

void subscribe(Process& process) {
  std::atomic<bool> done{false};
  process.broker->subscribe("bench", [&](Result<Position> result) {
    if (!result) std::fprintf(stderr, "subscribe: %s\n", result.error().message().c_str());
    done = true;
    done.notify_one();
  });
  done.wait(false);
}

void measure(const char* what, std::string_view url, int subscribers, std::size_t bytes,
             std::uint64_t window, const HistoryLimits& limits, double seconds) {
  Process publishing(url);
  std::vector<std::unique_ptr<Process>> listening;
  for (int i = 0; i < subscribers; ++i) {
    listening.push_back(std::make_unique<Process>(url));
    subscribe(*listening.back());
  }
  Publisher publisher(*publishing.broker, bytes, limits);
  const auto start = Clock::now();
  publisher.run(window, start + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(seconds)));
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  std::uint64_t delivered = 0;
  const std::uint64_t expected =
      (publisher.answered() - publisher.failed()) * static_cast<std::uint64_t>(subscribers);
  for (int i = 0; i < 500 && delivered < expected; ++i) {
    delivered = 0;
    for (const auto& one : listening) delivered += one->listener.count;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::printf("%-34s %9.0f publications/s  %9.0f deliveries/s  failed %llu  missing %llu\n", what,
              static_cast<double>(publisher.answered()) / took,
              static_cast<double>(delivered) / took,
              static_cast<unsigned long long>(publisher.failed()),
              static_cast<unsigned long long>(expected - std::min(expected, delivered)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_brokers URL [subscribers] [bytes] [seconds]\n", stderr);
    return 2;
  }
  const int subscribers = argc > 2 ? std::atoi(argv[2]) : 2;
  const auto bytes = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 256);
  const double seconds = argc > 4 ? std::atof(argv[4]) : 3;
  const HistoryLimits none{};
  const HistoryLimits kept{
      .size = 300, .bytes = 4 << 20, .ttl = squall::Duration::from_seconds(300)};
  measure("one at a time, no history", argv[1], subscribers, bytes, 1, none, seconds);
  measure("1000 at a time, no history", argv[1], subscribers, bytes, 1000, none, seconds);
  measure("1000 at a time, history of 300", argv[1], subscribers, bytes, 1000, kept, seconds);
  measure("1000 at a time, nobody listens", argv[1], 0, bytes, 1000, none, seconds);
}
