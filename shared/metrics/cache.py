"""The cache: what reads of it became."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import HTTP_BUCKETS

cache_requests_total = Counter(
    "instadistro_cache_requests_total", "Cache reads by what became of them.", ("namespace", "result")
)
cache_load_seconds = Histogram(
    "instadistro_cache_load_seconds", "Run time of the loaders of cached values.", ("namespace",), buckets=HTTP_BUCKETS
)
cache_unstored_total = Counter(
    "instadistro_cache_unstored_total", "Loaded values that were not cached, by why.", ("namespace", "reason")
)
cache_breaker_open = Gauge("instadistro_cache_breaker_open", "1 while the cache leaves Redis alone.")
redis_memory_used_bytes = Gauge("instadistro_redis_memory_used_bytes", "Memory that Redis uses.")
redis_memory_max_bytes = Gauge("instadistro_redis_memory_max_bytes", "Memory that Redis may use; 0: no limit.")
redis_evicted_total = Counter("instadistro_redis_evicted_keys_total", "Keys that Redis dropped for want of memory.")
