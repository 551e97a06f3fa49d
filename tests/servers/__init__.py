"""Real servers for the tests: private, on free loopback ports, gone when the tests are.

They run in containers where a Docker engine answers, and otherwise as private instances of Debian's
packages. STAPPENPLAN_TEST_BROKER_URL and STAPPENPLAN_TEST_DATABASE_URL name servers to use instead.
"""
