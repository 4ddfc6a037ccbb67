#include "server/routes.h"

#include "server/api.h"
#include "server/api_audit.h"
#include "server/api_auth.h"
#include "server/api_find.h"
#include "server/api_keep.h"
#include "server/api_keys.h"
#include "server/api_members.h"
#include "server/api_metrics.h"
#include "server/api_organizations.h"
#include "server/api_prices.h"
#include "server/api_projects.h"
#include "server/api_session.h"
#include "server/api_sessions.h"
#include "server/api_users.h"
#include "server/api_views.h"
#include "server/export.h"
#include "server/ingest.h"
#include "server/langfuse.h"
#include "server/legacy.h"
#include "server/live.h"
#include "server/logs.h"
#include "server/metrics.h"
#include "server/open.h"
#include "server/share.h"
#include "server/signin.h"
#include "server/static.h"

/* Order matters where patterns overlap: the first that fits decides. */
static const rs_route routes[] = {
    {"/api/openapi.json", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_openapi},
    /* reading */
    {"/api/traces/list/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_list_traces},
    {"/api/traces/export/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_export_traces},
    {"/api/traces/delete/", RS_POST, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_delete_traces},
    {"/api/traces/{id}/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_get_trace},
    {"/api/traces/{id}/", RS_DELETE, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_delete_trace},
    {"/api/traces/{id}/find/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_find_in_trace},
    {"/api/traces/{id}/share/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_share_manage},
    {"/api/traces/{id}/share/", RS_POST | RS_DELETE, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_share_manage},
    {"/api/traces/{id}/pin/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_pin},
    {"/api/traces/{id}/pin/", RS_POST | RS_DELETE, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_pin},
    {"/api/users/delete/", RS_POST, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_delete_user},
    {"/api/compact/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_show_compacting},
    {"/api/compact/", RS_POST, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_compact},
    {"/api/spans/list/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_list_spans},
    {"/api/spans/export/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_export_spans},
    {"/api/spans/{id}/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_get_span},
    {"/api/metrics/totals/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_metrics_totals},
    {"/api/metrics/series/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_metrics_series},
    {"/api/metrics/histogram/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_metrics_histogram},
    {"/api/metrics/facets/", RS_GET | RS_POST, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_metrics_facets},
    {"/api/views/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_list_views},
    {"/api/views/", RS_POST, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_create_view},
    {"/api/views/{id}/", RS_POST, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_change_view},
    {"/api/views/{id}/", RS_DELETE, RS_AUTH_CHANGE, RS_BODY_SMALL, rs_api_delete_view},
    {"/api/live/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_live_listen},
    /* who asks, and who may */
    {"/api/session/", RS_GET, RS_AUTH_ANY, RS_BODY_SMALL, rs_api_get_session},
    {"/api/auth/", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_api_auth},
    {"/api/auth/signin/", RS_POST, RS_AUTH_OWN_PAGE, RS_BODY_PASSWORD, rs_api_signin},
    {"/api/auth/signup/", RS_POST, RS_AUTH_OWN_PAGE, RS_BODY_PASSWORD, rs_api_signup},
    {"/api/auth/signout/", RS_POST, RS_AUTH_SELF_CHANGE, RS_BODY_SMALL, rs_api_signout},
    {"/api/auth/password/", RS_POST, RS_AUTH_SELF_CHANGE, RS_BODY_PASSWORD, rs_api_set_password},
    {"/api/auth/account/", RS_POST, RS_AUTH_SELF_CHANGE, RS_BODY_SMALL, rs_api_set_account},
    {"/api/auth/sessions/", RS_GET, RS_AUTH_SELF, RS_BODY_SMALL, rs_api_list_sessions},
    {"/api/auth/sessions/", RS_DELETE, RS_AUTH_SELF_CHANGE, RS_BODY_SMALL, rs_api_end_other_sessions},
    {"/api/auth/sessions/{id}/", RS_DELETE, RS_AUTH_SELF_CHANGE, RS_BODY_SMALL, rs_api_end_session},
    {"/api/auth/invite/", RS_POST, RS_AUTH_SELF_CHANGE, RS_BODY_SMALL, rs_api_join},
    {"/api/keys/", RS_GET, RS_AUTH_USER, RS_BODY_SMALL, rs_api_list_keys},
    {"/api/keys/", RS_POST, RS_AUTH_MEMBER_CHANGE, RS_BODY_SMALL, rs_api_create_key},
    {"/api/keys/{id}/", RS_DELETE, RS_AUTH_MEMBER_CHANGE, RS_BODY_SMALL, rs_api_revoke_key},
    {"/api/projects/", RS_GET, RS_AUTH_USER, RS_BODY_SMALL, rs_api_list_projects},
    {"/api/projects/", RS_POST, RS_AUTH_OWNER_CHANGE, RS_BODY_SMALL, rs_api_create_project},
    {"/api/projects/{id}/", RS_POST, RS_AUTH_PROJECT_CHANGE, RS_BODY_SMALL, rs_api_change_project},
    {"/api/projects/{id}/", RS_DELETE, RS_AUTH_PROJECT_CHANGE, RS_BODY_SMALL, rs_api_delete_project},
    {"/api/organizations/", RS_GET, RS_AUTH_SELF, RS_BODY_SMALL, rs_api_list_organizations},
    {"/api/organizations/", RS_POST, RS_AUTH_SERVER_CHANGE, RS_BODY_SMALL, rs_api_create_organization},
    {"/api/organizations/{id}/", RS_POST, RS_AUTH_ORG_CHANGE, RS_BODY_SMALL, rs_api_rename_organization},
    {"/api/organizations/{id}/", RS_DELETE, RS_AUTH_ORG_CHANGE, RS_BODY_SMALL, rs_api_delete_organization},
    {"/api/members/", RS_GET, RS_AUTH_USER, RS_BODY_SMALL, rs_api_list_members},
    {"/api/members/{id}/", RS_POST, RS_AUTH_OWNER_CHANGE, RS_BODY_SMALL, rs_api_set_role},
    {"/api/members/{id}/", RS_DELETE, RS_AUTH_LEAVE_CHANGE, RS_BODY_SMALL, rs_api_remove_member},
    {"/api/invites/", RS_GET, RS_AUTH_OWNER, RS_BODY_SMALL, rs_api_list_invites},
    {"/api/invites/", RS_POST, RS_AUTH_OWNER_CHANGE, RS_BODY_SMALL, rs_api_create_invite},
    {"/api/invites/{id}/", RS_DELETE, RS_AUTH_OWNER_CHANGE, RS_BODY_SMALL, rs_api_delete_invite},
    {"/api/prices/", RS_GET, RS_AUTH_USER, RS_BODY_SMALL, rs_api_list_prices},
    {"/api/prices/", RS_POST, RS_AUTH_SERVER_CHANGE, RS_BODY_SMALL, rs_api_set_price},
    {"/api/prices/time/", RS_POST, RS_AUTH_SERVER_CHANGE, RS_BODY_SMALL, rs_api_set_time_price},
    {"/api/prices/time/{id}/", RS_DELETE, RS_AUTH_SERVER_CHANGE, RS_BODY_SMALL, rs_api_unset_time_price},
    {"/api/prices/{id}/", RS_DELETE, RS_AUTH_SERVER_CHANGE, RS_BODY_SMALL, rs_api_unset_price},
    {"/api/audit/", RS_GET, RS_AUTH_OWNER, RS_BODY_SMALL, rs_api_list_audit},
    /* what was shared: the token in the path is all it takes */
    {"/api/share/{id}/", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_share_get_trace},
    {"/api/share/{id}/spans/{id}/", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_share_get_span},
    /* ingest: OTLP/HTTP */
    {"/api/v2/traces", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_ingest_traces},
    {"/api/v1/traces", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_ingest_traces},
    {"/v1/traces", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_ingest_traces},
    {"/api/public/otel/v1/traces", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_ingest_traces},
    {"/api/v2/open", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_open_report},
    {"/api/v1/open", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_open_report},
    {"/v1/open", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_open_report},
    {"/api/v1/traces/ingest", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_legacy_take},
    {"/api/openai/v1/traces/ingest", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_legacy_take},
    {"/api/request-logs/create/", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_legacy_take},
    {"/api/request-logs/", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_legacy_take},
    {"/api/v2/logs", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_logs_take},
    {"/api/v1/logs", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_logs_take},
    {"/v1/logs", RS_POST, RS_AUTH_KEY, RS_BODY_INGEST, rs_logs_take},
    {"/api/v2/metrics", RS_POST, RS_AUTH_NONE, RS_BODY_INGEST, rs_logs_refuse_metrics},
    {"/api/v1/metrics", RS_POST, RS_AUTH_NONE, RS_BODY_INGEST, rs_logs_refuse_metrics},
    {"/v1/metrics", RS_POST, RS_AUTH_NONE, RS_BODY_INGEST, rs_logs_refuse_metrics},
    {"/api/public/projects", RS_GET, RS_AUTH_KEY, RS_BODY_SMALL, rs_langfuse_projects},
    /* signing in, health */
    {"/login", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_signin_login},
    {"/logout", RS_POST, RS_AUTH_OWN_PAGE, RS_BODY_SMALL, rs_signin_logout},
    {"/healthz", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_health},
    {"/readyz", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_metrics_ready},
    {"/metrics", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_metrics_show},
    /* the page: its files, and its client-side routes */
    {"/assets/*", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_file},
    {"/share/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_share_page},
    {"/traces/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/threads/*", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/users/*", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/project/{id}/traces/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_langfuse_trace_page},
    {"/threads/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/users/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/settings/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/signin", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_open_page},
    {"/signup", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_open_page},
    {"/invite/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_open_page},
    {"/", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_page},
    {"/{id}", RS_GET, RS_AUTH_NONE, RS_BODY_SMALL, rs_static_file_or_page},
};

/* Walks pattern and path together; a request's path may leave out or add one last slash. */
static bool fits(const char *pattern, const char *path, rs_str *id) {
    *id = (rs_str){0};
    while (*pattern) {
        if (*pattern == '*') return *path != 0;
        if (strncmp(pattern, "{id}", 4) == 0) {
            size_t n = strcspn(path, "/");
            if (n == 0) return false;
            *id = (rs_str){path, n};
            pattern += 4, path += n;
        } else if (*pattern == *path) {
            pattern++, path++;
        } else {
            return strcmp(pattern, "/") == 0 && *path == 0;
        }
    }
    return *path == 0 || (strcmp(path, "/") == 0 && pattern[-1] != '/');
}

const rs_route *rs_route_find(const char *path, const char *method, rs_str *id) {
    for (size_t i = 0; i < RS_ARRAY_LEN(routes); i++) {
        if (!fits(routes[i].pattern, path, id)) continue;
        for (size_t same = i; same < RS_ARRAY_LEN(routes); same++)
            if (strcmp(routes[same].pattern, routes[i].pattern) == 0 &&
                rs_route_allows(&routes[same], method))
                return &routes[same];
        return &routes[i];
    }
    *id = (rs_str){0};
    return NULL;
}

bool rs_route_is_page(rs_str path) {
    char copy[256];
    rs_str id;
    if (path.n >= sizeof copy) return false;
    memcpy(copy, path.p, path.n);
    copy[path.n] = 0;
    const rs_route *route = rs_route_find(copy, "GET", &id);
    return route && (route->handler == rs_static_page || route->handler == rs_static_open_page ||
                     route->handler == rs_static_file_or_page);
}

bool rs_route_allows(const rs_route *route, const char *method) {
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) return route->methods & RS_GET;
    if (strcmp(method, "DELETE") == 0) return route->methods & RS_DELETE;
    return strcmp(method, "POST") == 0 && route->methods & RS_POST;
}

const char *rs_route_allow_header(const rs_route *route) {
    static const char *const values[] = {
        [RS_GET] = "GET, HEAD",
        [RS_POST] = "POST",
        [RS_DELETE] = "DELETE",
        [RS_GET | RS_POST] = "GET, HEAD, POST",
        [RS_GET | RS_DELETE] = "GET, HEAD, DELETE",
        [RS_POST | RS_DELETE] = "POST, DELETE",
        [RS_GET | RS_POST | RS_DELETE] = "GET, HEAD, POST, DELETE",
    };
    unsigned methods = 0;
    for (size_t i = 0; i < RS_ARRAY_LEN(routes); i++)
        if (strcmp(routes[i].pattern, route->pattern) == 0) methods |= routes[i].methods;
    return values[methods];
}
