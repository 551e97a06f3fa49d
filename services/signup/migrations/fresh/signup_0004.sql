CREATE TABLE office ( code VARCHAR(35) NOT NULL, name VARCHAR(200) NOT NULL, email VARCHAR(200) NOT NULL, phone VARCHAR(40), language VARCHAR(2) NOT NULL, review VARCHAR(10) NOT NULL, base_administration VARCHAR(35) NOT NULL, pays_for_customers BOOLEAN NOT NULL, pays_unseen BOOLEAN DEFAULT 0 NOT NULL, color VARCHAR(7), sites JSON DEFAULT '[]' NOT NULL, PRIMARY KEY (code) );
CREATE TABLE signup ( onboarding_id VARCHAR(36) NOT NULL, status VARCHAR(12) NOT NULL, digest VARCHAR(64), reference VARCHAR(35), office_code VARCHAR(35), package_code VARCHAR(35), kvk VARCHAR(8), company_key VARCHAR(420), accepted JSON, submitted_at DATETIME, activated_at DATETIME, logged_in_at DATETIME, stopped_by VARCHAR(120), registered JSON, contact JSON, customer_number VARCHAR(35), links_from DATETIME, link_sent_at DATETIME, PRIMARY KEY (onboarding_id), UNIQUE (reference) );
CREATE INDEX signup_company ON signup (company_key);
CREATE INDEX signup_kvk ON signup (kvk);
CREATE TABLE signup_count ( "key" VARCHAR(80) NOT NULL, began_at DATETIME NOT NULL, signups INTEGER NOT NULL, PRIMARY KEY ("key") );
CREATE INDEX signup_customer_number ON signup (customer_number);
