// SPDX-License-Identifier: Apache-2.0
#include <squall/json.hpp>
#include <squall/web.hpp>
using namespace squall;

struct ApiHandler : web::RequestHandler {
  void get() { write(json::object{{"status", "ok"}}); }
};

struct ChatSocket : web::WebSocketHandler {
  static inline std::set<ChatSocket*> connections;
  void open() { connections.insert(this); }
  void on_message(std::string_view message) {
    for (auto* connection : connections) connection->write_message(message);
  }
  void on_close() { connections.erase(this); }
};

int main() {
  web::Application app({
      {"/api", web::handler<ApiHandler>},
      {"/ws", web::handler<ChatSocket>},
  });
  app.listen(8888);
  IOLoop::current().start();
}
