"""A browser, as far as the API sees one: a session's cookie and its token."""

import json


class Browser:
    def __init__(self, server, cookie=None):
        self.server, self.cookie, self.token, self.project = server, cookie, None, None
        self.device = None  # the cookie of a browser that is known
        if cookie:
            self.session()

    def request(self, method, path, body=None, **headers):
        if self.project:
            path += f"{'&' if '?' in path else '?'}project={self.project}"
        sent = {k.replace("_", "-"): v for k, v in headers.items()}
        if self.cookie or self.device:
            sent.setdefault("Cookie", "; ".join(filter(None, (self.cookie, self.device))))
        if self.token and method != "GET":
            sent.setdefault("X-CSRF-Token", self.token)
        data = None if body is None else json.dumps(body)
        answer = self.server.request(method, path, data, sent, key=False)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name = "device" if cookie.startswith("respan_device=") else "cookie"
            setattr(self, name, cookie.split(";")[0])
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.request("POST", path, body, **headers)

    def delete(self, path, body=None, **headers):
        return self.request("DELETE", path, body, **headers)

    def session(self) -> dict:
        session = self.get("/api/session/").json
        self.token = session["csrf_token"]
        return session

    def sign_in(self, email, password):
        answer = self.post("/api/auth/signin/", {"email": email, "password": password})
        if answer.status == 200:
            self.session()
        return answer


def owner_of(server) -> Browser:
    return Browser(server, server.sign_in())
