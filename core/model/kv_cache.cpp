#include "core/model/kv_cache.h"

#include <sys/mman.h>

#include <cstring>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace spd {

namespace {

int64_t elementsPerHead(int64_t capacity, int64_t head_dim) {
    return capacity * (head_dim + roundUpToLanes(head_dim));
}

/// Key element d of this position goes to keys[d * 16]; value elements follow each other.
template <class Element>
void writeHead(const Element* k, const Element* v, int64_t head_dim, Element* keys, Element* values) {
    for (int64_t d = 0; d < head_dim; ++d) {
        keys[d * kLanes] = k[d];
        values[d] = v[d];
    }
}

}  // namespace

KvCache::KvCache(const ModelConfig& config, DType dtype, int64_t slots, int64_t capacity)
    : slots_(slots),
      capacity_(roundUpToLanes(capacity)),
      layers_(config.num_hidden_layers),
      heads_(config.num_key_value_heads),
      head_dim_(config.head_dim),
      dtype_(dtype) {
    const auto size = static_cast<size_t>(slots * bytesPerSlot(config, dtype, capacity));
    void* memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        throw Error(ErrorKind::out_of_memory,
                    "no memory for a KV cache of " + std::to_string(size) + " bytes");
    data_ = static_cast<char*>(memory);
}

KvCache& KvCache::operator=(KvCache&& other) noexcept {
    if (this != &other) {
        release();
        slots_ = std::exchange(other.slots_, 0);
        capacity_ = other.capacity_;
        layers_ = other.layers_;
        heads_ = other.heads_;
        head_dim_ = other.head_dim_;
        dtype_ = other.dtype_;
        data_ = std::exchange(other.data_, nullptr);
    }
    return *this;
}

KvCache::~KvCache() {
    release();
}

void KvCache::release() {
    if (data_ != nullptr)
        munmap(data_, static_cast<size_t>(headOffset(slots_, 0, 0)));
    data_ = nullptr;
}

int64_t KvCache::bytesPerSlot(const ModelConfig& config, DType dtype, int64_t capacity) {
    return config.num_hidden_layers * config.num_key_value_heads *
           elementsPerHead(roundUpToLanes(capacity), config.head_dim) * bytesPerElement(dtype);
}

int64_t KvCache::headOffset(int64_t slot, int64_t layer, int64_t head) const {
    return ((slot * layers_ + layer) * heads_ + head) * elementsPerHead(capacity_, head_dim_) *
           bytesPerElement(dtype_);
}

const void* KvCache::keys(int64_t slot, int64_t layer, int64_t head) const {
    return data_ + headOffset(slot, layer, head);
}

const void* KvCache::values(int64_t slot, int64_t layer, int64_t head) const {
    return data_ + headOffset(slot, layer, head) + capacity_ * head_dim_ * bytesPerElement(dtype_);
}

void KvCache::write(const KernelTable& kernels, int64_t slot, int64_t layer, int64_t position, const float* k,
                    const float* v) {
    const auto convert = dtype_ == DType::bfloat16 ? kernels.to_bfloat16 : kernels.to_float16;
    for (int64_t head = 0; head < heads_; ++head) {
        char* base = data_ + headOffset(slot, layer, head);
        const int64_t key = position / kLanes * kLanes * head_dim_ + position % kLanes;
        const int64_t value = capacity_ * head_dim_ + position * valueStride();
        const float* k_head = k + head * head_dim_;
        const float* v_head = v + head * head_dim_;
        if (dtype_ == DType::float32) {
            auto* elements = reinterpret_cast<float*>(base);
            writeHead(k_head, v_head, head_dim_, elements + key, elements + value);
            continue;
        }
        constexpr int64_t kPiece = 256;  // head_dim has no small bound, the stack has
        auto* elements = reinterpret_cast<uint16_t*>(base);
        for (int64_t d = 0; d < head_dim_; d += kPiece) {
            const int64_t count = head_dim_ - d < kPiece ? head_dim_ - d : kPiece;
            uint16_t k_rounded[kPiece];
            uint16_t v_rounded[kPiece];
            convert(k_head + d, count, k_rounded);
            convert(v_head + d, count, v_rounded);
            writeHead(k_rounded, v_rounded, count, elements + key + d * kLanes, elements + value + d);
        }
    }
}

}  // namespace spd
