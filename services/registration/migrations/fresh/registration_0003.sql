CREATE TABLE base_administration ( "key" VARCHAR(80) NOT NULL, code VARCHAR(35) NOT NULL, office_code VARCHAR(35) NOT NULL, name VARCHAR(200) NOT NULL, chart_id VARCHAR(64) NOT NULL, PRIMARY KEY ("key") );
CREATE TABLE chart ( id VARCHAR(64) NOT NULL, accounts JSON NOT NULL, PRIMARY KEY (id) );
CREATE TABLE registration ( onboarding_id VARCHAR(36) NOT NULL, status VARCHAR(12) NOT NULL, office_code VARCHAR(35), accepted JSON, heard_at DATETIME, decided_by VARCHAR(120), customer_number VARCHAR(35), administration_number VARCHAR(35), administration_name VARCHAR(200), copied_from VARCHAR(35), chart_id VARCHAR(64), administration_error VARCHAR(200), reference VARCHAR(35), corrected JSON, corrected_by VARCHAR(120), corrected_at DATETIME, PRIMARY KEY (onboarding_id) );
CREATE INDEX registration_list ON registration (status, heard_at, onboarding_id);
CREATE INDEX registration_office ON registration (office_code, status, heard_at, onboarding_id);
CREATE INDEX registration_reference ON registration (reference);
CREATE INDEX registration_customer_number ON registration (customer_number);
CREATE INDEX registration_administration ON registration (administration_number);
