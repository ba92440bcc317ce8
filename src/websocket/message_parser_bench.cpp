// SPDX-License-Identifier: Apache-2.0
#include "websocket/deflate.hpp"
#include "websocket/message_parser.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace squall::websocket {
namespace {

// A mask of zeros costs what any mask does, and leaves the frame as it was for the next round.
std::string masked_frame(Opcode opcode, std::string_view payload) {
  std::string frame(max_frame_head_bytes, '\0');
  frame.resize(encode_masked_frame_head(frame.data(), opcode, true, payload.size(), MaskKey{}));
  return frame.append(payload);
}

std::string repeated(std::string_view pattern, std::size_t size) {
  std::string text;
  while (text.size() + pattern.size() <= size) text += pattern;
  return text.append(size - text.size(), '.');
}

// One frame, whole in the input, and the call that says that no more is there.
void whole_frame(benchmark::State& state, Opcode opcode, std::string_view pattern) {
  std::string frame =
      masked_frame(opcode, repeated(pattern, static_cast<std::size_t>(state.range(0))));
  MessageParser parser(MessageParser::Role::server);
  for (auto _ : state) {
    std::span<char> input(frame);
    auto event = parser.next(input);
    benchmark::DoNotOptimize(event);
    event = parser.next(input);
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame.size()));
}
BENCHMARK_CAPTURE(whole_frame, text, Opcode::text, "plain ascii ")->Arg(64)->Arg(16 << 10);
BENCHMARK_CAPTURE(whole_frame, cyrillic, Opcode::text, "\xD0\xB6\xD1\x83\xD0\xBA")->Arg(16 << 10);
BENCHMARK_CAPTURE(whole_frame, chinese, Opcode::text, "\xE4\xB8\xAD\xE6\x96\x87")->Arg(16 << 10);
BENCHMARK_CAPTURE(whole_frame, binary, Opcode::binary, "x")->Arg(64)->Arg(16 << 10);

// Small frames back to back, as they lie in a busy connection's read; time is for all 64.
void pipelined_frames(benchmark::State& state) {
  std::string stream;
  for (int i = 0; i < 64; ++i) stream += masked_frame(Opcode::text, repeated("ascii ", 64));
  MessageParser parser(MessageParser::Role::server);
  for (auto _ : state) {
    std::span<char> input(stream);
    for (;;) {
      const auto event = parser.next(input);
      benchmark::DoNotOptimize(event.payload.data());
      if (event.kind == MessageParser::Kind::need_more) break;
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(pipelined_frames);

// A message that arrives in reads of 16 KiB and is collected.
void split_message(benchmark::State& state) {
  std::string frame = masked_frame(Opcode::binary, std::string(1 << 20, 'x'));
  MessageParser parser(MessageParser::Role::server);
  for (auto _ : state) {
    std::span<char> rest(frame);
    while (!rest.empty()) {
      std::span<char> input = rest.first(std::min<std::size_t>(rest.size(), 16 << 10));
      rest = rest.subspan(input.size());
      auto event = parser.next(input);
      benchmark::DoNotOptimize(event);
    }
    std::span<char> none;
    parser.next(none);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame.size()));
}
BENCHMARK(split_message);

// Words that repeat, as those of JSON do.
std::string json(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) {
    text += "{\"id\": " + std::to_string(i * 7919) + ", \"price\": 12.5, \"name\": \"loop\"}, ";
  }
  text.resize(size);
  return text;
}

DeflateSettings settings(bool context_takeover) {
  DeflateParameters parameters;
  parameters.server_no_context_takeover = !context_takeover;
  return deflate_settings(Role::server, parameters, {});
}

void deflated_message(benchmark::State& state, bool context_takeover) {
  const std::string message = json(static_cast<std::size_t>(state.range(0)));
  Deflater deflater(settings(context_takeover));
  std::string payload;
  for (auto _ : state) {
    payload.clear();
    benchmark::DoNotOptimize(deflater.compress(message, payload));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.counters["shrunk to"] =
      static_cast<double>(payload.size()) / static_cast<double>(message.size());
}
BENCHMARK_CAPTURE(deflated_message, alone, false)->Arg(512)->Arg(4 << 10)->Arg(64 << 10);
BENCHMARK_CAPTURE(deflated_message, takeover, true)->Arg(512)->Arg(4 << 10)->Arg(64 << 10);

// A compressed frame, whole in the input, without context takeover.
void inflated_message(benchmark::State& state) {
  std::string payload;
  deflate_message(settings(false), json(static_cast<std::size_t>(state.range(0))), payload);
  std::string frame = masked_frame(Opcode::text, payload);
  frame[0] = static_cast<char>(static_cast<unsigned char>(frame[0]) | 0x40U);
  MessageParser parser(MessageParser::Role::server);
  DeflateParameters parameters;
  parameters.client_no_context_takeover = true;
  parser.set_deflate(parameters);
  for (auto _ : state) {
    std::span<char> input(frame);
    auto event = parser.next(input);
    benchmark::DoNotOptimize(event);
    event = parser.next(input);
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(inflated_message)->Arg(512)->Arg(4 << 10)->Arg(64 << 10);

void frame_head(benchmark::State& state) {
  char out[max_frame_head_bytes];
  auto size = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(size);
    benchmark::DoNotOptimize(encode_frame_head(out, Opcode::text, true, size));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(frame_head)->Arg(64)->Arg(16 << 10);

}  // namespace
}  // namespace squall::websocket
