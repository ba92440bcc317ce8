// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace squall::detail {

/// A place in a ring of things that wait, linked in place, so that joining one cannot fail. It
/// unlinks itself when it is destroyed. `Self` derives from it.
template <class Self>
struct LinkedNode {
  LinkedNode(const LinkedNode&) = delete;  // NOLINT(bugprone-crtp-constructor-accessibility)
  LinkedNode& operator=(const LinkedNode&) = delete;
  ~LinkedNode() { unlink(); }

  [[nodiscard]] bool is_linked() const noexcept { return next != nullptr; }
  void unlink() noexcept {
    if (next == nullptr) return;
    previous->next = next;
    next->previous = previous;
    next = previous = nullptr;
  }

  Self* next = nullptr;
  Self* previous = nullptr;

 private:
  friend Self;
  LinkedNode() noexcept = default;
};

/// The head of such a ring.
template <class Self>
struct NodeRing : Self {
  NodeRing() noexcept { this->next = this->previous = this; }
  ~NodeRing() { this->next = this->previous = nullptr; }

  [[nodiscard]] bool is_empty() const noexcept { return this->next == this; }
  void append(Self& node) noexcept {
    node.previous = this->previous;
    node.next = this;
    this->previous->next = &node;
    this->previous = &node;
  }
  /// Takes the first one out; only when there is one.
  Self& take_first() noexcept {
    Self& node = *this->next;
    this->next = node.next;
    node.next->previous = this;
    node.next = node.previous = nullptr;
    return node;
  }
  /// Takes over all that `other` has; only when this is empty.
  void take_all(NodeRing& other) noexcept {
    if (other.is_empty()) return;
    this->next = other.next;
    this->previous = other.previous;
    this->next->previous = this;
    this->previous->next = this;
    other.next = other.previous = &other;
  }
};

}  // namespace squall::detail
