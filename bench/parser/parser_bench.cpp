// SPDX-License-Identifier: Apache-2.0
#include "heads.hpp"
#include "http/head_parser.hpp"
#include "http/stop_index.hpp"
#include "parsers.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using squall::http::VectorLevel;

struct Parser {
  std::string name;
  parsers::Parse* parse;
  VectorLevel level = VectorLevel::none;  ///< ours alone heeds it
};

/// Ours once for each kind of vectors that this CPU has, then the peers.
std::vector<Parser> every_parser() {
  std::vector<Parser> list;
  for (const VectorLevel level : {VectorLevel::avx2, VectorLevel::sse4, VectorLevel::none}) {
    if (!squall::http::set_vector_level(level)) continue;
    list.push_back({"squall_" + std::string(to_string(level)), parsers::squall_head, level});
  }
#ifdef BENCH_BEAST
  list.push_back({"beast_views", parsers::beast_views});
  list.push_back({"beast_message", parsers::beast_message});
#endif
#ifdef BENCH_HTTP_PARSER
  list.push_back({"http_parser", parsers::node_http_parser});
#endif
  return list;
}
const std::vector<Parser> all_parsers = every_parser();

class Text final : public parsers::Visitor {
 public:
  void on_request_line(std::string_view method, std::string_view target) override {
    text.append(method).append(" ").append(target).append("\n");
  }
  void on_field(std::string_view name, std::string_view value) override {
    text.append(name).append(": ").append(value).append("\n");
  }
  std::string text;
};

/// The parsers are compared only where each ends with the same.
bool agree(std::string_view head) {
  std::string first;
  for (const Parser& parser : all_parsers) {
    Text result;
    squall::http::set_vector_level(parser.level);
    if (!parser.parse(head, &result)) {
      std::fprintf(stderr, "%s refuses:\n%.*s", parser.name.c_str(), static_cast<int>(head.size()),
                   head.data());
      return false;
    }
    if (first.empty()) first = result.text;
    if (result.text != first) {
      std::fprintf(stderr, "%s reads:\n%sinstead of:\n%s", parser.name.c_str(), result.text.c_str(),
                   first.c_str());
      return false;
    }
  }
  return true;
}

void measure_one(benchmark::State& state, const Parser& parser, std::string_view head) {
  squall::http::set_vector_level(parser.level);
  for (auto _ : state) {
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(parser.parse(head, nullptr));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}

void measure_traffic(benchmark::State& state, const Parser& parser,
                     const std::vector<std::string>& heads) {
  squall::http::set_vector_level(parser.level);
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.parse(heads[at], nullptr));
    benchmark::ClobberMemory();
    if (++at == heads.size()) at = 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> traffic = heads::traffic();
  for (const heads::Head& head : heads::all()) {
    if (!agree(head.bytes)) return 1;
    for (const Parser& parser : all_parsers) {
      benchmark::RegisterBenchmark((head.name + ("/" + parser.name)).c_str(), measure_one, parser,
                                   head.bytes);
    }
  }
  if (!std::all_of(traffic.begin(), traffic.end(), agree)) return 1;
  for (const Parser& parser : all_parsers) {
    benchmark::RegisterBenchmark(("traffic/" + parser.name).c_str(), measure_traffic, parser,
                                 traffic);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
