// SPDX-License-Identifier: Apache-2.0
#include <squall/base/error.hpp>
#include <squall/base/pool.hpp>
#include <squall/realtime/publication.hpp>

#include <atomic>
#include <cstring>
#include <limits>
#include <new>

namespace squall::realtime {

EncodedForm::~EncodedForm() = default;

PublicationRef Publication::create(std::string_view channel, std::string_view data) {
  return create(channel, data, PublicationFields());
}

PublicationRef Publication::create(std::string_view channel, std::string_view data,
                                   const PublicationFields& fields) {
  constexpr std::size_t short_max = std::numeric_limits<std::uint16_t>::max();
  if (channel.size() > short_max || fields.key.size() > short_max ||
      fields.client.size() > short_max || fields.user.size() > short_max) {
    throw UsageError("channel, key, client and user of a publication have at most 65,535 bytes");
  }
  if (data.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw UsageError("the data of a publication has at most 4 GiB: publish it in parts");
  }
  const std::size_t bytes = sizeof(Publication) + channel.size() + data.size() + fields.key.size() +
                            fields.client.size() + fields.user.size();
  auto* const self = ::new (squall::detail::pool_allocate(bytes)) Publication();
  self->channel_bytes_ = static_cast<std::uint16_t>(channel.size());
  self->data_bytes_ = static_cast<std::uint32_t>(data.size());
  self->key_bytes_ = static_cast<std::uint16_t>(fields.key.size());
  self->client_bytes_ = static_cast<std::uint16_t>(fields.client.size());
  self->user_bytes_ = static_cast<std::uint16_t>(fields.user.size());
  self->kind_ = fields.kind;
  self->binary_ = fields.binary;
  self->position_ = fields.position;
  char* to = reinterpret_cast<char*>(self + 1);
  for (const std::string_view part : {channel, data, fields.key, fields.client, fields.user}) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return PublicationRef::adopt(self);
}

Publication::~Publication() {
  for (EncodedForm* const form : forms_) delete form;
}

std::size_t Publication::memory_bytes() const noexcept {
  return sizeof(Publication) + channel_bytes_ + data_bytes_ + key_bytes_ + client_bytes_ +
         user_bytes_;
}

void Publication::retain() const noexcept {
  std::atomic_ref(references_).fetch_add(1, std::memory_order_relaxed);
}

void Publication::release() const noexcept {
  if (std::atomic_ref(references_).fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::size_t bytes = memory_bytes();
  auto* const self = const_cast<Publication*>(this);
  self->~Publication();
  squall::detail::pool_deallocate(self, bytes);
}

const EncodedForm& Publication::encoded(unsigned slot, MakeForm make, const void* context) const {
  if (slot >= slot_count) throw UsageError("a publication has slots 0 to 3 for encoded forms");
  const std::atomic_ref<EncodedForm*> place(forms_[slot]);
  EncodedForm* present = place.load(std::memory_order_acquire);
  if (present != nullptr) return *present;
  EncodedForm* const made = make(*this, context);
  if (place.compare_exchange_strong(present, made, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
    return *made;
  }
  delete made;
  return *present;
}

}  // namespace squall::realtime
