// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Default limits, in one place; docs/limits.md lists them with the setting that changes each.
namespace squall::limits {

/// Ceiling on one request head: request line, fields and their CRLFs; past it the answer is 431.
inline constexpr std::size_t head_bytes = 64 * 1024;
/// Ceiling on the request line; past it the answer is 414 (RFC 9112 §3 asks for at least 8000).
inline constexpr std::size_t request_line_bytes = 16 * 1024;
/// Header fields in one request head, or in one trailer section; past it the answer is 431.
inline constexpr std::size_t field_count = 100;
/// A request body that is held in memory; past it the answer is 413.
inline constexpr std::size_t buffered_body_bytes = 10 * 1024 * 1024;
/// A request body that its handler takes in pieces; past it the answer is 413.
inline constexpr std::size_t body_bytes = 100 * 1024 * 1024;
/// Bytes a second that a client sends of a body, or takes of a response that waits for it.
inline constexpr unsigned min_rate = 240;
/// One chunk-size line with its extensions (RFC 9112 §7.1.1); past it the answer is 400.
inline constexpr std::size_t chunk_line_bytes = 4 * 1024;
/// A trailer section (RFC 9112 §7.1.2); past it the answer is 431.
inline constexpr std::size_t trailer_bytes = 16 * 1024;
/// Output that may wait on one connection before its writer is told to wait.
inline constexpr std::size_t write_buffer_bytes = 1024 * 1024;
/// One WebSocket message, whole, before and after inflation; past it the connection is closed with
/// 1009.
inline constexpr std::size_t websocket_message_bytes = 10 * 1024 * 1024;
/// WebSocket output that may wait for one client before it is disconnected as too slow.
inline constexpr std::size_t websocket_queue_bytes = 1024 * 1024;
/// A URL to connect to, or to be redirected to.
inline constexpr std::size_t url_bytes = 16 * 1024;
/// Messages that a WebSocket client holds for its program before it stops receiving.
inline constexpr std::size_t websocket_unread_bytes = 1024 * 1024;
/// What a client keeps of the body of an answer that refuses a WebSocket.
inline constexpr std::size_t refused_body_bytes = 4 * 1024;
/// Events that may wait for one client of a stream before it is disconnected as too slow.
inline constexpr std::size_t event_queue_bytes = 1024 * 1024;
/// One command of a client to a HubSocketHandler; past it the connection is closed with 1009.
inline constexpr std::size_t hub_message_bytes = 64 * 1024;
/// Commands of one client of a HubSocketHandler, on average, and at once; more are refused.
inline constexpr unsigned hub_commands_a_second = 50;
inline constexpr unsigned hub_command_burst = 300;
/// Commands of one client of a HubSocketHandler that wait for the broker; more are refused.
inline constexpr std::size_t hub_client_calls = 32;
/// Cookies in one request that are looked at; the rest are ignored.
inline constexpr std::size_t cookie_count = 100;
/// A signed value, as a cookie carries it; browsers keep 4 KiB of one. Longer ones are not read.
inline constexpr std::size_t signed_value_bytes = 16 * 1024;
/// Tasks that one request leaves to run after its response.
inline constexpr std::size_t background_tasks = 100;
/// Requests of one loop whose tasks run after their responses; past it the answer is 503.
inline constexpr std::size_t background_requests = 10'000;
/// A token against forged requests; longer ones are not valid.
inline constexpr std::size_t xsrf_token_bytes = 1024;
/// A password; a longer one is refused.
inline constexpr std::size_t password_bytes = 4 * 1024;
/// Threads of the process that hash passwords, or as many as there are CPUs.
inline constexpr std::size_t password_threads = 4;
/// Passwords that wait for one of those; past it the answer is 503.
inline constexpr std::size_t password_queue = 256;
/// Memory that one hash of a password may take; more is not computed.
inline constexpr std::size_t password_memory_bytes = 256 * 1024 * 1024;
/// Passes over that memory; the same.
inline constexpr std::size_t password_passes = 64;
/// Lanes of it; the same.
inline constexpr std::size_t password_lanes = 16;
/// Texts of one session, with their names; more are not saved.
inline constexpr std::size_t session_bytes = 64 * 1024;
/// Name and value of the cookie that has a whole session; browsers keep no more.
inline constexpr std::size_t session_cookie_bytes = 4096;
/// Entries of a web::MemoryStore, an option; those not used for longest go.
inline constexpr std::size_t store_entries = 100'000;
/// Memory of a web::MemoryStore, an option; the same.
inline constexpr std::size_t store_bytes = 64 * 1024 * 1024;
/// Entries of a web::FileStore, an option; one more is refused.
inline constexpr std::size_t store_files = 1'000'000;
/// One text of a web::Store; a longer one is refused.
inline constexpr std::size_t store_value_bytes = 1024 * 1024;
/// Nonces whose use a web::DigestAuth remembers, an option; past it the oldest count as too old.
inline constexpr std::size_t digest_nonces = 10'000;
/// Static files that a loop keeps open or in memory (15 KiB each); those not used for longest go.
/// The open ones are at most a sixteenth of RLIMIT_NOFILE, too.
inline constexpr std::size_t static_cache_files = 1024;
/// Ranges in one Range field; with more of them it is ignored.
inline constexpr std::size_t range_count = 16;
/// Arguments of one query string or urlencoded body; past it the answer is 400.
inline constexpr std::size_t argument_count = 1000;
/// Connections that wait in the kernel to be accepted (listen(2) backlog).
inline constexpr int listen_backlog = 1024;
/// Jobs that wait for a thread of an Executor.
inline constexpr std::size_t executor_queue_jobs = 10'000;
/// Items that wait in a Queue, PriorityQueue, LifoQueue or Channel; its constructor changes it.
inline constexpr std::size_t queue_items = 10'000;
/// What net::Stream::read_until() and its kin accept for one line or message by default.
inline constexpr std::size_t stream_line_bytes = 64 * 1024;
/// What net::Stream::read_exactly() and read_until_close() gather at most.
inline constexpr std::size_t stream_read_bytes = 100 * 1024 * 1024;
/// Bytes that a net::Stream receives ahead of its reader before it stops receiving.
inline constexpr std::size_t stream_read_ahead_bytes = 64 * 1024;
/// Output that may wait on a net::Stream whose writer never awaits; one more write is refused.
inline constexpr std::size_t stream_output_bytes = 64 * 1024 * 1024;
/// Private-key operations for new TLS connections in one turn of a loop; more wait for the next.
inline constexpr std::size_t tls_handshakes_per_turn = 16;
/// What a TLS peer may send while its handshake waits for its turn.
inline constexpr std::size_t tls_held_bytes = 64 * 1024;
/// Answers that a TLS connection may demand in its life (key updates, refused renegotiations).
inline constexpr std::size_t tls_reply_bytes = 64 * 1024;
/// Hosts whose TLS sessions a client remembers.
inline constexpr std::size_t tls_session_hosts = 1000;
/// A file with certificates, keys or an OCSP response.
inline constexpr std::size_t tls_file_bytes = 16 * 1024 * 1024;
/// What run_process() keeps of a child's output, and of its error output.
inline constexpr std::size_t subprocess_output_bytes = 10 * 1024 * 1024;
/// Connections that a net::TCPServer serves at a time; more wait in the kernel.
inline constexpr std::size_t server_connections = 100'000;
/// Connections of a web::Application at a time; more wait in the kernel.
inline constexpr std::size_t http_connections = 100'000;
/// A header of the PROXY protocol; past it the connection is dropped.
inline constexpr std::size_t proxy_header_bytes = 4 * 1024;
/// Proxies that forwarding fields are read through, from the nearest on; the rest is not looked at.
inline constexpr std::size_t proxy_hops = 32;
/// Host names that a net::Resolver looks up at a time; one more is refused.
inline constexpr std::size_t resolver_lookups = 1000;
/// Threads of the process that wait for getaddrinfo().
inline constexpr std::size_t resolver_threads = 16;
/// Answers that a net::Resolver remembers when its cache is on.
inline constexpr std::size_t resolver_cache_entries = 1000;
/// Content codings on top of each other in one message (RFC 9110 §8.4); past it the answer is 415.
inline constexpr std::size_t content_coding_layers = 2;
/// Decoded bytes for each byte that came, past decoded_free_bytes; past it the answer is 413.
inline constexpr std::size_t decoded_ratio = 250;
/// Decoded bytes of a message that may come of any number of coded ones.
inline constexpr std::size_t decoded_free_bytes = 1024 * 1024;
/// Responses that a thread codes at a time; more are sent as they are.
inline constexpr std::size_t content_encoders = 500;
/// States of encoders that a thread keeps for the next response, of each coding.
inline constexpr std::size_t idle_content_encoders = 4;
/// zlib states that a thread keeps for the next compressed WebSocket message, of each direction.
inline constexpr std::size_t idle_websocket_codecs = 4;
/// Parts of one multipart/form-data body; past it the answer is 413.
inline constexpr std::size_t multipart_parts = 100;
/// The head of one part; past it the answer is 413.
inline constexpr std::size_t multipart_head_bytes = 10 * 1024;
/// Fields in the head of one part; past it the answer is 413.
inline constexpr std::size_t multipart_head_fields = 20;
/// Bytes before the first boundary of a multipart body; past it the answer is 400.
inline constexpr std::size_t multipart_preamble_bytes = 4 * 1024;
/// The value of one field of a multipart form; past it the answer is 413.
inline constexpr std::size_t form_value_bytes = 1024 * 1024;
/// Files of one form that are held in memory; more goes to temporary files.
inline constexpr std::size_t form_memory_bytes = 1024 * 1024;
/// Bytes of one form that may wait for the disk before its body is not read any more.
inline constexpr std::size_t form_backlog_bytes = 1024 * 1024;
/// The name of a channel of a realtime::Hub; a longer one is refused.
inline constexpr std::size_t channel_name_bytes = 255;
/// Publications that one who comes back to a channel is handed at most; when it missed more, the
/// answer is "not recovered".
inline constexpr std::size_t recovered_publications = 300;
/// The data of one publication; a larger one is refused.
inline constexpr std::size_t publication_bytes = 1024 * 1024;
/// Memory of the history of one channel; the oldest publications go.
inline constexpr std::size_t channel_history_bytes = 4 * 1024 * 1024;
/// Memory of all histories of a memory broker; the channel not published to for longest loses.
inline constexpr std::size_t hub_history_bytes = 256 * 1024 * 1024;
/// Channels of a hub, and of a memory broker; more are refused.
inline constexpr std::size_t hub_channels = 100'000;
/// Patterns that a hub is configured with.
inline constexpr std::size_t hub_patterns = 1000;
/// Channels that one subscriber may be in.
inline constexpr std::size_t subscriber_channels = 128;
/// Calls to a broker that wait for its answer; more fail.
inline constexpr std::size_t hub_pending_calls = 10'000;
/// Channels whose history is read at a time to find out what a broker's interruption cost.
inline constexpr std::size_t hub_recoveries = 64;
/// Publications that wait for a loop; past it the loop's subscribers are told of a loss.
inline constexpr std::size_t hub_inbox_publications = 100'000;
/// Memory of publications that wait for a loop; the same.
inline constexpr std::size_t hub_inbox_bytes = 64 * 1024 * 1024;
/// Publications of a channel that wait while its position is looked up; past it they are read from
/// the history, or count as lost.
inline constexpr std::size_t held_publications = 1000;
/// Memory of those.
inline constexpr std::size_t held_publication_bytes = 4 * 1024 * 1024;
/// Members of a channel that one call lists.
inline constexpr std::size_t presence_members = 1000;
/// What a subscription may tell about its member: client, user and info, each.
inline constexpr std::size_t presence_field_bytes = 4 * 1024;

/// A file of translations; a larger one is left out.
inline constexpr std::size_t catalog_file_bytes = 16 * 1024 * 1024;
/// Messages of one file of translations; with more of them it is left out.
inline constexpr std::size_t catalog_messages = 100'000;
/// Locales of one directory; with more of them nothing is loaded.
inline constexpr std::size_t catalog_files = 1000;
/// Parts of a plural expression that lie within each other; past it the file is left out.
inline constexpr std::size_t plural_expression_depth = 32;
/// Operators and operands of one; the same.
inline constexpr std::size_t plural_expression_nodes = 500;
/// Plural forms of a language; the same.
inline constexpr std::size_t plural_forms = 16;
/// Languages of an Accept-Language field that are looked at.
inline constexpr std::size_t language_ranges = 32;
/// Locales whose formatters of ICU a thread keeps; those not used for longest go.
inline constexpr std::size_t locale_formatters = 32;
/// Times that the process-wide translations may be set.
inline constexpr std::size_t default_translations = 100;

/// Calls that wait for the server of a Redis or NATS broker, or for its answer; more fail.
inline constexpr std::size_t broker_queue_calls = 100'000;
/// Bytes of those.
inline constexpr std::size_t broker_queue_bytes = 64 * 1024 * 1024;
/// What came from a NATS server and waits for the broker's thread; past it the connection is cut.
inline constexpr std::size_t broker_inbox_bytes = 64 * 1024 * 1024;

/// A configuration file that an OptionParser reads; a larger one is refused.
inline constexpr std::size_t config_file_bytes = 1024 * 1024;
/// Values of one option that is a list, ranges written out; more are refused.
inline constexpr std::size_t option_values = 10'000;

/// Channels of the log that are known by name; more are a UsageError.
inline constexpr std::size_t log_channels = 1000;
/// Lines that wait for the thread which writes the log; past it they are dropped, counted and
/// reported.
inline constexpr std::size_t log_queue_bytes = 8 * 1024 * 1024;
/// One line of the log as it is written; the rest of its message is cut off.
inline constexpr std::size_t log_line_bytes = 64 * 1024;

/// Folders that `squall run --watch` watches; past it those that are left are not.
inline constexpr std::size_t watched_folders = 10'000;
/// What a page shows of a build's or a program's output; the rest is in the terminal.
inline constexpr std::size_t development_output_bytes = 64 * 1024;
/// Listening sockets that `squall run --watch` keeps over a restart; more are bound anew.
inline constexpr std::size_t development_sockets = 200;
/// Processes of a program that it talks to; further ones run as without it.
inline constexpr std::size_t development_programs = 256;

}  // namespace squall::limits
