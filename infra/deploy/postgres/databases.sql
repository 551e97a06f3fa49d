-- A database for each service: none of them can read another's tables by mistake.
CREATE DATABASE stappenplan_signup;
CREATE DATABASE stappenplan_registration;
CREATE DATABASE stappenplan_billing;
CREATE DATABASE stappenplan_activation;
