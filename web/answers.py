"""Answers as HTML or JSON, with a tag by which a browser asks whether they changed."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask import json
from flask import make_response
from flask import render_template
from flask import request


def json_answer(document: Any) -> Response:  # noqa: ANN401 (whatever JSON can hold)
    """Answer with a JSON document."""
    response = make_response(json.dumps(document, ensure_ascii=False) + "\n")
    response.content_type = "application/json"
    return tagged(response)


def html_answer(template: str, **shown: object) -> Response:
    """Answer with a page."""
    return tagged(make_response(render_template(template, **shown)))


def file_answer(content: str | bytes, content_type: str, name: str) -> Response:
    """Answer with a file to keep."""
    response = make_response(content)
    response.content_type = content_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return tagged(response)


def tagged(response: Response) -> Response:
    """Tag an answer by its content; one that the browser has is not sent again."""
    response.add_etag()
    response.make_conditional(request)
    return response
