// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <squall/realtime/position.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace squall::realtime {

class Publication;
class PublicationRef;

namespace detail {
struct PublicationAccess;
}

/// What someone needs of a publication in another form, made once and kept with it: a JSON
/// envelope, an event-stream text, a WebSocket frame. All loops share it, so it must not change
/// after it is made, nor be counted without atomics. See Publication::encoded().
class EncodedForm {
 public:
  EncodedForm() noexcept = default;
  EncodedForm(const EncodedForm&) = delete;
  EncodedForm& operator=(const EncodedForm&) = delete;
  virtual ~EncodedForm();
};

/// What a publication is.
enum class PublicationKind : std::uint8_t {
  message,  ///< what publish() was given: counted by an offset, kept in the history
  join,     ///< a member came: `data` is its info; no offset, not kept, at most once
  leave,    ///< a member went
};

/// What Publication::create() takes beside channel and data.
struct PublicationFields {
  PublicationKind kind = PublicationKind::message;
  bool binary = false;        ///< for transports that tell text from binary
  std::string_view key{};     ///< for conflation: a later one with the same key replaces this one
  std::string_view client{};  ///< of join and leave: whose
  std::string_view user{};    ///< of join and leave: whose
  Position position{};        ///< for brokers that made it from what came over the network
};

/// One message of a channel: immutable, in one block of memory, shared by all subscribers of all
/// loops through PublicationRef.
class Publication {
 public:
  /// Copies all texts, once.
  [[nodiscard]] static PublicationRef create(std::string_view channel, std::string_view data,
                                             const PublicationFields& fields);
  [[nodiscard]] static PublicationRef create(std::string_view channel, std::string_view data);

  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  [[nodiscard]] std::string_view channel() const noexcept { return {text(), channel_bytes_}; }
  [[nodiscard]] std::string_view data() const noexcept {
    return {text() + channel_bytes_, data_bytes_};
  }
  [[nodiscard]] std::string_view key() const noexcept {
    return {text() + channel_bytes_ + data_bytes_, key_bytes_};
  }
  [[nodiscard]] std::string_view client() const noexcept {
    return {text() + channel_bytes_ + data_bytes_ + key_bytes_, client_bytes_};
  }
  [[nodiscard]] std::string_view user() const noexcept {
    return {text() + channel_bytes_ + data_bytes_ + key_bytes_ + client_bytes_, user_bytes_};
  }
  [[nodiscard]] PublicationKind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_binary() const noexcept { return binary_; }
  /// Where it stands in its channel; empty for join and leave.
  [[nodiscard]] const Position& position() const noexcept { return position_; }
  /// For a broker, before anyone else has seen the publication.
  void set_position(const Position& position) noexcept { position_ = position; }
  /// Memory that it takes, without encoded forms.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

  /// Places for encoded forms. The library's transports use the first three.
  static constexpr unsigned json_slot = 0;
  static constexpr unsigned event_stream_slot = 1;
  static constexpr unsigned websocket_slot = 2;
  static constexpr unsigned user_slot = 3;
  static constexpr unsigned slot_count = 4;

  /// The form in `slot`, made by `make(publication, context)` for the first who asks. When two
  /// loops ask at the same moment each may make one; all get the same. Lives as long as this. What
  /// `make` throws comes out, and the next one tries again. Safe on any thread.
  using MakeForm = EncodedForm* (*)(const Publication& publication, const void* context);
  const EncodedForm& encoded(unsigned slot, MakeForm make, const void* context = nullptr) const;

  /// For PublicationRef; on any thread.
  void retain() const noexcept;
  void release() const noexcept;

 private:
  friend struct detail::PublicationAccess;
  Publication() noexcept = default;
  ~Publication();
  [[nodiscard]] const char* text() const noexcept {
    return reinterpret_cast<const char*>(this + 1);
  }

  mutable std::uint32_t references_ = 1;  // atomic
  std::uint32_t data_bytes_ = 0;
  std::uint16_t channel_bytes_ = 0;
  std::uint16_t key_bytes_ = 0;
  std::uint16_t client_bytes_ = 0;
  std::uint16_t user_bytes_ = 0;
  PublicationKind kind_ = PublicationKind::message;
  bool binary_ = false;
  Position position_;
  mutable EncodedForm* forms_[slot_count] = {};  // atomic
  // Only the publishing loop's thread writes and reads these two, once it is published.
  const void* origin_ = nullptr;
  mutable std::uint32_t queued_ = 0;
  mutable std::uint32_t dropped_ = 0;
};

/// A share in a Publication. Copies cost an atomic addition; pass it by reference where you can.
class PublicationRef {
 public:
  PublicationRef() noexcept = default;
  PublicationRef(const PublicationRef& other) noexcept : publication_(other.publication_) {
    if (publication_ != nullptr) publication_->retain();
  }
  PublicationRef(PublicationRef&& other) noexcept
      : publication_(std::exchange(other.publication_, nullptr)) {}
  PublicationRef& operator=(PublicationRef other) noexcept {
    std::swap(publication_, other.publication_);
    return *this;
  }
  ~PublicationRef() {
    if (publication_ != nullptr) publication_->release();
  }
  /// Takes over one share.
  [[nodiscard]] static PublicationRef adopt(Publication* publication) noexcept {
    PublicationRef reference;
    reference.publication_ = publication;
    return reference;
  }

  explicit operator bool() const noexcept { return publication_ != nullptr; }
  Publication& operator*() const noexcept { return *publication_; }
  Publication* operator->() const noexcept { return publication_; }
  [[nodiscard]] Publication* get() const noexcept { return publication_; }

 private:
  Publication* publication_ = nullptr;
};

}  // namespace squall::realtime
