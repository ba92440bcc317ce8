// SPDX-License-Identifier: Apache-2.0
#include "http/html.hpp"
#include "web/autoreload.hpp"

#include <squall/web/event_source_handler.hpp>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

// Pages in development; docs/decisions/0019-autoreload.md.
namespace squall::web {
namespace {

// How long a page whose stream was cut waits before it comes back.
constexpr auto come_back_after = Duration::from_milliseconds(200);

struct ReloadScript : RequestHandler {
  void get() {
    set_header("Content-Type", "text/javascript; charset=UTF-8");
    set_header("Cache-Control", "no-store");
    write(reload_script);
  }
};

}  // namespace

struct PageStreams::Impl {
  struct Open {
    IOLoop* loop;
    PageEvents* page;
  };
  mutable std::mutex mutex;
  PageState state;
  std::vector<Open> open;
  HandlerSpec script;
  HandlerSpec events;

  void tell_here();
};

/// The stream of one page.
struct PageEvents : EventSourceHandler {
  explicit PageEvents(const std::weak_ptr<PageStreams::Impl>& streams) : pages(streams) {}

  void open() {
    {
      const std::scoped_lock lock(pages->mutex);
      pages->open.push_back({&IOLoop::current(), this});
    }
    tell();
  }
  void on_close() {
    const std::scoped_lock lock(pages->mutex);
    std::erase_if(pages->open, [this](const auto& one) { return one.page == this; });
  }
  // The next process is here in no time: no spread.
  void on_shutdown() override { close(); }

  void tell() {
    std::string data;
    {
      const std::scoped_lock lock(pages->mutex);
      data = pages->state.generation + '\n' + pages->state.error;
    }
    send_event(ServerEvent{.data = data, .retry = come_back_after});
  }

  std::shared_ptr<PageStreams::Impl> pages;
};

void PageStreams::Impl::tell_here() {
  std::vector<PageEvents*> here;
  {
    const std::scoped_lock lock(mutex);
    for (const Open& one : open) {
      if (one.loop == &IOLoop::current()) here.push_back(one.page);
    }
  }
  for (PageEvents* const page : here) page->tell();
}

PageStreams::PageStreams() : impl_(std::make_shared<Impl>()) {
  impl_->script = handler<ReloadScript>;
  impl_->events = handler<PageEvents>(std::weak_ptr<Impl>(impl_));
}

PageStreams::~PageStreams() = default;

PageState PageStreams::state() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->state;
}

void PageStreams::set_state(PageState state) {
  std::vector<IOLoop*> loops;
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->state = std::move(state);
    for (const Impl::Open& one : impl_->open) {
      if (std::find(loops.begin(), loops.end(), one.loop) == loops.end()) loops.push_back(one.loop);
    }
  }
  for (IOLoop* const loop : loops) loop->post([impl = impl_] { impl->tell_here(); });
}

const HandlerSpec* PageStreams::find(const http::RequestHead& request) const noexcept {
  const std::string_view path = request.path();
  const bool may = request.method() == http::Method::get || request.method() == http::Method::head;
  if (!may || !path.starts_with(reload_path)) return nullptr;
  return path == reload_path          ? &impl_->events
         : path == reload_script_path ? &impl_->script
                                      : nullptr;
}

void PageStreams::add_routes(Application& application) const {
  application.add_route({reload_path, impl_->events});
  application.add_route({reload_script_path, impl_->script});
}

std::string reload_element(std::string_view generation, std::string_view nonce) {
  std::string text = "<script src=\"";
  text.append(reload_script_path).append("?g=").append(generation) += '"';
  if (!nonce.empty()) text.append(" nonce=\"").append(http::escape_html(nonce)) += '"';
  return text += "></script>";
}

}  // namespace squall::web
