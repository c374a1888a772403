#pragma once

#include <cstdint>
#include <vector>

#include "core/base/dtype.h"
#include "core/io/model_config.h"
#include "core/kernels/kernel_table.h"

namespace spd {

/// The keys (after RoPE) and values of `slots` sequences of up to `capacity` positions each, in the layout
/// that the attention kernels read:
///   K  [slot][layer][KV head][capacity / 16][head_dim][16]
///   V  [slot][layer][KV head][capacity][head_dim rounded up to 16]
/// Memory is taken from the system page by page as positions are written. Movable, not copyable. Different
/// slots may be written by different threads.
class KvCache {
public:
    KvCache() = default;
    /// @param capacity  positions a slot; rounded up to a multiple of 16.   @throws Error out_of_memory
    KvCache(const ModelConfig& config, DType dtype, int64_t slots, int64_t capacity);
    KvCache(KvCache&& other) noexcept { *this = static_cast<KvCache&&>(other); }
    KvCache& operator=(KvCache&& other) noexcept;
    ~KvCache();

    int64_t slots() const { return slots_; }
    int64_t capacity() const { return capacity_; }

    /// Stores one position of one layer. @param k, v  [num_key_value_heads x head_dim]
    void write(const KernelTable& kernels, int64_t slot, int64_t layer, int64_t position, const float* k,
               const float* v);

    const void* keys(int64_t slot, int64_t layer, int64_t head) const;
    const void* values(int64_t slot, int64_t layer, int64_t head) const;
    /// Elements between positions of V: head_dim rounded up to 16.
    int64_t valueStride() const { return roundUpToLanes(head_dim_); }

    /// What one slot of `capacity` positions takes.
    static int64_t bytesPerSlot(const ModelConfig& config, DType dtype, int64_t capacity);

private:
    int64_t headOffset(int64_t slot, int64_t layer, int64_t head) const;
    void release();

    int64_t slots_ = 0;
    int64_t capacity_ = 0;
    int64_t layers_ = 0;
    int64_t heads_ = 0;
    int64_t head_dim_ = 0;
    DType dtype_ = DType::float32;
    char* data_ = nullptr;
};

}  // namespace spd
