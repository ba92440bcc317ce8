// SPDX-License-Identifier: Apache-2.0
// What tools/check_coroutines refuses; never compiled. Each line says which rule it breaks.
struct Options {
  std::string url;
  int port = 80;
};

Task<> condition(int n) {
  if (co_await read(n)) co_return;  // expect: condition
  while (co_await read(n) > 0) {    // expect: condition
    switch (co_await read(n)) {     // expect: condition
      default:
        break;
    }
  }
  do n++;
  while (co_await more());                                          // expect: condition
  for (int i = 0; i < co_await size(); ++i) work(i);                // expect: condition
  if (auto got = co_await read(n)) use(got);                        // expect: condition
  if (const auto first = peek(n); co_await read(first)) co_return;  // expect: condition
  if (ready() &&                                                    // expect: condition
      co_await read(n)) {
    use(n);
  }
}

Task<> temporaries(std::string name) {
  co_await run([name] { return name; });                    // expect: lambda
  co_await run([copy = name](int) mutable { use(copy); });  // expect: lambda
  const auto got = co_await run([=] { return name; });      // expect: lambda
  const auto which = got ? co_await left() : right();       // expect: ternary
  co_await fetch(Options{.url = name});                     // expect: aggregate
  co_await fetch(std::array<std::string, 2>{name, name});   // expect: aggregate
  Options options{.url = co_await url()};                   // expect: aggregate
  co_await fetch(std::vector<std::string>{"a", "b"});       // expect: aggregate
}

void captures(int n) {
  spawn([n]() -> Task<> { co_await sleep(n); }());                        // expect: CP.51
  auto later = [&]() -> Task<int> { co_return n; };                       // expect: CP.51
  auto plain = [](const std::string& s) -> Task<> { co_await send(s); };  // expect: CP.53
}

Task<int> reference(const std::string& url) {  // expect: CP.53
  co_return co_await fetch(url);
}

Task<std::vector<int>> Client::run(int a, Options&& o) {  // expect: CP.53
  co_await fetch(o);
  co_return {};
}
