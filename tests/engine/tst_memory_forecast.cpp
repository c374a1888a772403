// The forecast that spd inspect prints against what the engine really takes.

#include <QtTest>

#include "core/io/memory_forecast.h"
#include "core/model/kv_cache.h"

using namespace spd;

class TestMemoryForecast : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void countsTheCacheAsTheEngineDoes();
};

void TestMemoryForecast::countsTheCacheAsTheEngineDoes() {
    for (const int64_t head_dim : {12, 64, 80, 128})
        for (const int64_t context : {1, 16, 100, 2048})
            for (const DType dtype : {DType::float32, DType::bfloat16, DType::float16}) {
                ModelConfig config;
                config.hidden_size = 576;
                config.intermediate_size = 1536;
                config.num_hidden_layers = 30;
                config.num_attention_heads = 9;
                config.num_key_value_heads = 3;
                config.head_dim = head_dim;
                config.vocab_size = 49152;
                ForecastSettings settings;
                settings.dtype = dtype;
                settings.context = context;
                QCOMPARE(forecastMemory(config, settings).kv_cache_per_slot,
                         KvCache::bytesPerSlot(config, dtype, context));
            }
}

QTEST_GUILESS_MAIN(TestMemoryForecast)
#include "tst_memory_forecast.moc"
