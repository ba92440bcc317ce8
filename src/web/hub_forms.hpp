// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/base/slow_consumer.hpp>
#include <squall/realtime/error.hpp>
#include <squall/realtime/position.hpp>
#include <squall/realtime/publication.hpp>
#include <squall/realtime/subscriber.hpp>
#include <squall/web/event_source_handler.hpp>
#include <squall/web/shared_message.hpp>

#include <string>
#include <string_view>
#include <system_error>

// Publications as clients get them; each form is made once for all subscribers of all loops.
namespace squall::web {

/// Of a message `{"push":"message","channel":"c","position":"e:1","data":"..."}`, with "base64"
/// for "data" when it is not UTF-8 or was published as binary; of join and leave
/// `{"push":"join","channel":"c","client":"..","user":"..","info":".."}`.
[[nodiscard]] std::string_view push_form(const realtime::Publication& publication);

/// The same, framed, and compressed where that was agreed on.
[[nodiscard]] const SharedMessage& push_message(const realtime::Publication& publication);

/// The data alone as a message.
[[nodiscard]] const SharedMessage& data_message(const realtime::Publication& publication);

/// Appends the message without "push": as it stands in lists.
void append_message(std::string& out, const realtime::Publication& publication);

/// The event, with the position as its id; named "binary", and in base64, where the data is not
/// text. Join and leave have no id and are named so.
[[nodiscard]] const SharedEvent& event_form(const realtime::Publication& publication);
/// The same named after its channel and without an id: for the second channel of a stream.
[[nodiscard]] SharedEvent named_event(const realtime::Publication& publication);

/// Appends `text`, which must be UTF-8, as JSON, quotes included.
void append_json_string(std::string& out, std::string_view text);

/// What clients are told of an error: a word, as "forbidden".
[[nodiscard]] std::string_view error_word(std::error_code error) noexcept;
/// The status of an HTTP answer for it.
[[nodiscard]] int error_status(std::error_code error) noexcept;
[[nodiscard]] std::string_view loss_word(realtime::LossReason reason) noexcept;

/// What the hub is told of a message that was sent.
[[nodiscard]] realtime::Delivery delivery_of(SendResult result) noexcept;

}  // namespace squall::web
