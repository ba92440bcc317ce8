// SPDX-License-Identifier: Apache-2.0
// What tools/check_coroutines lets through; never compiled.
struct Views {
  std::string_view url;
  int port = 80;
};

struct WithConstructor {
  WithConstructor(std::string url);
  std::string url_;
};

Task<> conditions(int n) {
  const auto first = co_await read(n);
  if (first > 0) co_return;
  if (const auto got = co_await read(n); got) use(got);
  for (auto i = co_await start(); i < 3; ++i) work(i);
  while (true) {
    const auto more = co_await read(n);
    if (!more) break;
  }
  if (spawn([]() -> Task<> { co_await sleep(1); }())) co_return;  // its own frame
  // if (co_await in_a_comment()) {}
  log("if (co_await in_a_string())");
}

Task<> temporaries(std::string name) {
  const auto job = [name] { return name; };
  co_await run(job);
  co_await run([&] { return name; });
  co_await run([this, &name] { return name; });
  co_await fetch(url, {.timeout = 5s, .follow = true});
  co_await fetch(Views{.url = name});
  co_await fetch(WithConstructor{name});
  const auto got = co_await right();
  const auto which = got ? 1 : 2;
  auto sorted = [name](int a, int b) { return a < b; };
  std::sort(begin(v), end(v), sorted);
  for (const auto& item : items) co_await send(item);
  const auto level = (co_await count()) > 0 ? 1 : 0;  // coroutine-ok: operands are ints
  // coroutine-ok: the task is awaited in the expression that makes it
  co_await [](const std::string& s) -> Task<> { co_await send(s); }(name);
}

void handlers() {
  app.get("/{id}", [](web::Request& request, int id) -> Task<> {
    const auto page = co_await fetch(id);
    request.write(page);
  });
  const auto later = [](std::string s) -> Task<int> { co_return s.size(); };
  int table[3] = {1, 2, 3};
  table[0] = 'x' ? 1'000 : 2;
}

// A plain function: copies, then returns the task of a private coroutine that takes values.
Task<int> fetch(const std::string& url) { return run(std::string(url)); }
Task<int> fetch(IOLoop& loop, std::function<void(int&)> f);

Task<int> Client::run(std::string url, std::function<void(int&)> f) {
  auto transform = [&](const int& x) { return x + 1; };
  co_return transform(co_await connect(url));
}
