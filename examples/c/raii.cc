// A span that ends with its scope: all that C++ needs around respan.h.
//
//     c++ raii.cc $(pkg-config --cflags --libs respan) -o raii && ./raii
#include <cstdio>
#include <respan.h>
#include <stdexcept>
#include <string>

class Span {
public:
    Span(respan_client *client, const std::string &name, const Span *parent = nullptr) {
        const respan_span_context above = respan_span_get_context(parent ? parent->span_ : nullptr);
        span_ = respan_span_start(client, name.data(), name.size(), &above, 0);
    }
    Span(Span &&other) noexcept : span_(other.span_) { other.span_ = nullptr; }
    ~Span() { respan_span_end(span_, 0); }
    void set(const std::string &key, const std::string &value) {
        respan_span_set_string(span_, key.data(), key.size(), value.data(), value.size());
    }
    void fail(const std::string &why) { respan_span_set_status(span_, RESPAN_STATUS_ERROR, why.data(), why.size()); }

private:
    respan_span *span_;
};

static void work(respan_client *client, const Span &parent) {
    Span task(client, "measure.task", &parent);
    task.set("respan.entity.log_type", "task");
    try {
        throw std::runtime_error("the ruler is lost");
    } catch (const std::exception &e) {
        task.fail(e.what());
    }
}

int main() {
    respan_config config;
    respan_config_init(&config);
    config.app_name = "raii";
    respan_client *client = nullptr;
    respan_error error;
    if (respan_client_open(&config, &client, &error) != RESPAN_OK)
        std::fprintf(stderr, "tracing is off: %s\n", error.message);
    {
        Span workflow(client, "measure.workflow");
        workflow.set("respan.entity.log_type", "workflow");
        work(client, workflow);
    }
    return respan_client_close(client, 5000, nullptr) == RESPAN_OK ? 0 : 1;
}
