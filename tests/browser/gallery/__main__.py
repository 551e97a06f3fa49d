import uvicorn

from tests.browser.gallery.app import gallery

ADDRESS = ("127.0.0.1", 8099)

if __name__ == "__main__":
    host, port = ADDRESS
    uvicorn.run(gallery(f"http://{host}:{port}"), host=host, port=port)
